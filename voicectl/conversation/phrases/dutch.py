"""What the agent says by itself, in Dutch."""

from __future__ import annotations

from voicectl.conversation.phrases import Phrases

PHRASES = Phrases(
    reprompts=("Bent u er nog?", "Ik ben nog aan de lijn. Waarmee kan ik u helpen?"),
    ask_again=("Neem rustig de tijd. {question}", "Bent u er nog? {question}"),
    ask_number=(
        "U kunt het nummer zeggen, of intoetsen op uw telefoon.",
        "Bent u er nog? U kunt het nummer ook intoetsen op uw telefoon.",
    ),
    ask_choice=("Wat mag het zijn: {choices}?", "Bent u er nog? {choices}?"),
    choice_joint=" of ",
    offer_person="Ik kan u niet horen. Zal ik u doorverbinden met een medewerker?",
    silent_goodbye="Ik kan u niet horen, dus ik hang nu op. U kunt altijd terugbellen. Tot ziens.",
    take_your_time=("Natuurlijk, neem rustig de tijd.", "Prima, ik wacht even."),
    thinking=("Even denken.", "Een momentje.", "Eén seconde."),
    looking_up=("Ik kijk even.", "Ogenblikje, ik zoek het op.", "Dat ga ik even na."),
    working=("Een ogenblik, alstublieft.", "Blijft u even aan de lijn.", "Dit duurt heel even."),
    still_working=("Ik ben er nog.", "Ik ben nog bezig.", "Nog een klein momentje."),
    apology="Het spijt me, het lukte me net niet om te antwoorden. Kunt u dat nog een keer zeggen?",
    lost_thread="Sorry, ik ben de draad kwijt. Zal ik dat nog een keer zeggen?",
    give_up="Het spijt me, ik kan op dit moment niet goed antwoorden. Belt u later nog eens, alstublieft. Tot ziens.",
    give_up_person="Het spijt me, ik kan niet goed antwoorden. Ik verbind u door met een medewerker.",
    go_on=("Zal ik verdergaan?", "Wilt u er meer over horen?"),
    length_warning=(
        "Even voor de duidelijkheid: we hebben nog ongeveer {minutes} voor dit gesprek. Wat is voor u het belangrijkst?"
    ),
    minutes=("een minuut", "{count} minuten"),
    wind_down="We moeten nu helaas afronden. Bedankt voor uw telefoontje. Tot ziens.",
    time_is_up="Dit gesprek heeft helaas de maximale duur bereikt. Bedankt en tot ziens.",
    goodbye="Bedankt voor uw telefoontje. Tot ziens.",
    person="Een ogenblik, ik verbind u door.",
    confirm_person="Zal ik u doorverbinden met een medewerker?",
    no_person="Het spijt me, ik kan u op dit moment met niemand doorverbinden.",
    shutting_down="Het spijt me, ik moet dit gesprek nu beëindigen. Belt u over een paar minuten nog eens. Tot ziens.",
    no_such_key="Die toets heeft hier geen functie. Zegt u maar gewoon wat u nodig heeft.",
    switched="Natuurlijk, laten we Nederlands spreken. Waarmee kan ik u helpen?",
    dayparts=("Goedemorgen", "Goedemiddag", "Goedenavond"),
)
