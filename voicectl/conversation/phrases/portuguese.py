"""What the agent says by itself, in Portuguese: the way it is spoken in Brazil."""

from __future__ import annotations

from voicectl.conversation.phrases import Phrases

PHRASES = Phrases(
    reprompts=("Você ainda está aí?", "Continuo na linha. Em que posso ajudar?"),
    ask_again=("Fique à vontade, sem pressa. {question}", "Você ainda está aí? {question}"),
    ask_number=(
        "Você pode dizer ou digitar o número no telefone.",
        "Você ainda está aí? Também pode digitar o número no telefone.",
    ),
    ask_choice=("O que você prefere: {choices}?", "Você ainda está aí? {choices}?"),
    choice_joint=" ou ",
    offer_person="Não consigo ouvir você. Quer que eu passe a ligação para uma pessoa?",
    silent_goodbye="Não consigo ouvir você, então vou desligar. Ligue de novo quando quiser. Até logo.",
    take_your_time=("Claro, fique à vontade.", "Sem pressa, eu espero."),
    thinking=("Deixe-me pensar.", "Um momento.", "Só um segundinho."),
    looking_up=("Vou dar uma olhada.", "Um instante, estou olhando.", "Deixe-me verificar."),
    working=("Um momento, por favor.", "Aguarde na linha, por favor.", "Isso leva um instantinho."),
    still_working=("Ainda estou aqui.", "Continuo trabalhando nisso.", "Só mais um momento."),
    apology="Desculpe, não consegui responder agora. Pode repetir, por favor?",
    lost_thread="Desculpe, perdi o fio da meada. Quer que eu repita?",
    give_up="Desculpe, estou com dificuldade para responder agora. Por favor, ligue um pouco mais tarde. Até logo.",
    give_up_person="Desculpe, estou com dificuldade para responder. Vou passar a ligação para uma pessoa.",
    go_on=("Quer que eu continue?", "Gostaria de ouvir mais?"),
    length_warning="Só para avisar, temos mais ou menos {minutes} de ligação. O que é mais importante para você?",
    minutes=("um minuto", "{count} minutos"),
    wind_down="Infelizmente, precisamos encerrar agora. Agradecemos a ligação. Até logo.",
    time_is_up="Infelizmente, a ligação chegou ao tempo máximo. Agradecemos a sua ligação. Até logo.",
    goodbye="Agradecemos a ligação. Até logo.",
    person="Um momento, vou transferir a ligação.",
    confirm_person="Quer que eu passe a ligação para uma pessoa?",
    no_person="Desculpe, no momento não posso transferir a ligação para ninguém.",
    shutting_down="Desculpe, preciso encerrar a ligação agora. Por favor, ligue de novo em alguns minutos. Até logo.",
    no_such_key="Essa tecla não tem função aqui. É só me dizer do que você precisa.",
    switched="Claro, vamos falar português. Em que posso ajudar?",
    dayparts=("Bom dia", "Boa tarde", "Boa noite"),
)
