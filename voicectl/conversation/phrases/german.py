"""What the agent says by itself, in German."""

from __future__ import annotations

from voicectl.conversation.phrases import Phrases

PHRASES = Phrases(
    reprompts=("Sind Sie noch da?", "Ich bin noch am Apparat. Was kann ich für Sie tun?"),
    ask_again=("Lassen Sie sich ruhig Zeit. {question}", "Sind Sie noch da? {question}"),
    ask_number=(
        "Sie können die Nummer sagen oder am Telefon eintippen.",
        "Sind Sie noch da? Sie können die Nummer auch am Telefon eintippen.",
    ),
    ask_choice=("Was soll es sein: {choices}?", "Sind Sie noch da? {choices}?"),
    choice_joint=" oder ",
    offer_person="Ich kann Sie leider nicht hören. Soll ich Sie mit jemandem aus unserem Team verbinden?",
    silent_goodbye=(
        "Ich kann Sie leider nicht hören, deshalb lege ich jetzt auf. Rufen Sie gern jederzeit wieder an. "
        "Auf Wiederhören."
    ),
    take_your_time=("Natürlich, lassen Sie sich Zeit.", "Gern, ich warte."),
    thinking=("Lassen Sie mich kurz überlegen.", "Einen Moment.", "Eine Sekunde."),
    looking_up=("Ich sehe kurz nach.", "Augenblick, ich schaue nach.", "Das prüfe ich kurz."),
    working=("Einen Moment, bitte.", "Bleiben Sie bitte kurz dran.", "Das dauert einen Augenblick."),
    still_working=("Ich bin noch da.", "Ich bin noch dabei.", "Noch einen kleinen Moment."),
    apology="Entschuldigung, das hat gerade nicht geklappt. Könnten Sie das bitte noch einmal sagen?",
    lost_thread="Entschuldigung, ich habe den Faden verloren. Soll ich das noch einmal sagen?",
    give_up=(
        "Es tut mir leid, ich kann im Moment nicht richtig antworten. Bitte rufen Sie etwas später noch einmal an. "
        "Auf Wiederhören."
    ),
    give_up_person="Es tut mir leid, ich kann gerade nicht richtig antworten. Ich verbinde Sie mit unserem Team.",
    go_on=("Soll ich weitererzählen?", "Möchten Sie mehr dazu hören?"),
    length_warning=(
        "Nur damit Sie es wissen: Wir haben noch etwa {minutes} für dieses Gespräch. Was ist Ihnen am wichtigsten?"
    ),
    minutes=("eine Minute", "{count} Minuten"),
    wind_down="Leider müssen wir jetzt zum Ende kommen. Vielen Dank für Ihren Anruf. Auf Wiederhören.",
    time_is_up="Leider kann ich nicht länger in einem Gespräch bleiben. Vielen Dank und auf Wiederhören.",
    goodbye="Vielen Dank für Ihren Anruf. Auf Wiederhören.",
    person="Einen Moment bitte, ich verbinde Sie.",
    confirm_person="Soll ich Sie mit jemandem aus unserem Team verbinden?",
    no_person="Es tut mir leid, ich kann Sie im Moment mit niemandem verbinden.",
    shutting_down=(
        "Es tut mir leid, ich muss das Gespräch jetzt beenden. Bitte rufen Sie in ein paar Minuten wieder an. "
        "Auf Wiederhören."
    ),
    no_such_key="Diese Taste ist hier nicht belegt. Sagen Sie mir einfach, worum es geht.",
    switched="Gern, sprechen wir Deutsch. Wie kann ich Ihnen helfen?",
    dayparts=("Guten Morgen", "Guten Tag", "Guten Abend"),
)
