"""What the agent says by itself, in Spanish."""

from __future__ import annotations

from voicectl.conversation.phrases import Phrases

PHRASES = Phrases(
    reprompts=("¿Sigue ahí?", "Sigo en la línea. ¿En qué puedo ayudarle?"),
    ask_again=("Tómese su tiempo. {question}", "¿Sigue ahí? {question}"),
    ask_number=(
        "Puede decir el número o marcarlo en su teléfono.",
        "¿Sigue ahí? También puede marcar el número en su teléfono.",
    ),
    ask_choice=("¿Qué prefiere: {choices}?", "¿Sigue ahí? ¿{choices}?"),
    choice_joint=" o ",
    offer_person="No consigo oírle. ¿Quiere que le pase con una persona?",
    silent_goodbye="No consigo oírle, así que voy a colgar. Llámenos de nuevo cuando quiera. Hasta luego.",
    take_your_time=("Claro, tómese su tiempo.", "Por supuesto, aquí espero."),
    thinking=("Déjeme pensar.", "Un momento.", "Un segundito."),
    looking_up=("Voy a mirarlo.", "Deme un momento, lo estoy mirando.", "Déjeme comprobarlo."),
    working=("Un momento, por favor.", "No cuelgue, por favor.", "Esto tarda un momentito."),
    still_working=("Sigo aquí.", "Sigo con ello.", "Un momento más, por favor."),
    apology="Lo siento, ahora mismo no he podido responder. ¿Podría repetirlo, por favor?",
    lost_thread="Perdone, he perdido el hilo. ¿Quiere que lo repita?",
    give_up="Lo siento, ahora mismo tengo problemas para responder. Llame un poco más tarde, por favor. Hasta luego.",
    give_up_person="Lo siento, tengo problemas para responder. Le paso con una persona.",
    go_on=("¿Quiere que siga?", "¿Le cuento más?"),
    length_warning="Le aviso de que nos queda más o menos {minutes} de llamada. ¿Qué es lo más importante para usted?",
    minutes=("un minuto", "{count} minutos"),
    wind_down="Me temo que tenemos que terminar aquí. Gracias por llamar. Hasta luego.",
    time_is_up="Me temo que la llamada ha llegado a su duración máxima. Muchas gracias y hasta luego.",
    goodbye="Gracias por llamar. Hasta luego.",
    person="Un momento, por favor, le paso.",
    confirm_person="¿Quiere que le pase con una persona?",
    no_person="Lo siento, en este momento no puedo pasarle con nadie.",
    shutting_down="Lo siento, tengo que terminar la llamada. Vuelva a llamar en unos minutos, por favor. Hasta luego.",
    no_such_key="Esa tecla no tiene ninguna función aquí. Dígame simplemente qué necesita.",
    switched="Claro, hablemos en español. ¿En qué puedo ayudarle?",
    dayparts=("Buenos días", "Buenas tardes", "Buenas noches"),
)
