"""What the agent says by itself, in Italian."""

from __future__ import annotations

from voicectl.conversation.phrases import Phrases

PHRASES = Phrases(
    reprompts=("È ancora in linea?", "Sono sempre qui. Come posso aiutarla?"),
    ask_again=("Faccia con calma. {question}", "È ancora in linea? {question}"),
    ask_number=(
        "Può dire il numero oppure digitarlo sul telefono.",
        "È ancora in linea? Può anche digitare il numero sul telefono.",
    ),
    ask_choice=("Che cosa preferisce: {choices}?", "È ancora in linea? {choices}?"),
    choice_joint=" o ",
    offer_person="Non riesco a sentirla. Vuole che le passi una persona?",
    silent_goodbye="Non riesco a sentirla, quindi ora chiudo la chiamata. Ci richiami quando vuole. Arrivederci.",
    take_your_time=("Certo, faccia con calma.", "Si figuri, aspetto."),
    thinking=("Mi lasci pensare.", "Un attimo.", "Un secondo solo."),
    looking_up=("Do un'occhiata.", "Un momento, sto guardando.", "Mi lasci controllare."),
    working=("Un attimo, per favore.", "Resti in linea, per favore.", "Ci vuole un momentino."),
    still_working=("Sono sempre qui.", "Ci sto ancora lavorando.", "Ancora un momento."),
    apology="Mi scusi, in questo momento non mi è stato possibile rispondere. Potrebbe ripetere, per favore?",
    lost_thread="Mi scusi, ho perso il filo. Vuole che lo ripeta?",
    give_up="Mi dispiace, in questo momento ho difficoltà a rispondere. La prego di richiamare più tardi. Arrivederci.",
    give_up_person="Mi dispiace, ho difficoltà a rispondere. Le passo una persona.",
    go_on=("Vuole che continui?", "Desidera saperne di più?"),
    length_warning="La avviso che ci resta circa {minutes} per questa chiamata. Che cosa le sta più a cuore?",
    minutes=("un minuto", "{count} minuti"),
    wind_down="Purtroppo adesso dobbiamo concludere. Grazie della chiamata. Arrivederci.",
    time_is_up="Purtroppo la chiamata ha raggiunto la durata massima. Grazie e arrivederci.",
    goodbye="Grazie della chiamata. Arrivederci.",
    person="Un attimo, le passo una persona.",
    confirm_person="Vuole che le passi una persona?",
    no_person="Mi dispiace, al momento non posso passarle nessuno.",
    shutting_down="Mi dispiace, devo chiudere la chiamata. La prego di richiamare tra qualche minuto. Arrivederci.",
    no_such_key="Questo tasto qui non ha nessuna funzione. Mi dica pure di che cosa ha bisogno.",
    switched="Certo, parliamo italiano. Come posso aiutarla?",
    dayparts=("Buongiorno", "Buon pomeriggio", "Buonasera"),
)
