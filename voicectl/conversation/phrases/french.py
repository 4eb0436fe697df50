"""What the agent says by itself, in French."""

from __future__ import annotations

from voicectl.conversation.phrases import Phrases

PHRASES = Phrases(
    reprompts=("Vous êtes toujours là ?", "Je suis toujours en ligne. Que puis-je faire pour vous ?"),
    ask_again=("Prenez votre temps. {question}", "Vous êtes toujours là ? {question}"),
    ask_number=(
        "Vous pouvez dire le numéro, ou le composer sur votre téléphone.",
        "Vous êtes toujours là ? Vous pouvez aussi composer le numéro sur votre téléphone.",
    ),
    ask_choice=("Que préférez-vous : {choices} ?", "Vous êtes toujours là ? {choices} ?"),
    choice_joint=" ou ",
    offer_person="Je ne vous entends pas. Voulez-vous que je vous passe quelqu'un ?",
    silent_goodbye=(
        "Je ne vous entends pas, je vais donc raccrocher. N'hésitez pas à rappeler quand vous voulez. Au revoir."
    ),
    take_your_time=("Bien sûr, prenez votre temps.", "Je vous en prie, j'attends."),
    thinking=("Laissez-moi réfléchir.", "Un instant.", "Une petite seconde."),
    looking_up=("Je regarde.", "Un moment, je regarde ça.", "Laissez-moi vérifier."),
    working=("Un instant, s'il vous plaît.", "Ne quittez pas.", "Cela prend un petit moment."),
    still_working=("Je suis toujours avec vous.", "J'y travaille encore.", "Encore un petit instant."),
    apology="Excusez-moi, je n'ai pas pu répondre à l'instant. Pourriez-vous répéter, s'il vous plaît ?",
    lost_thread="Pardon, j'ai perdu le fil. Voulez-vous que je répète ?",
    give_up=("Veuillez m'excuser, j'ai du mal à répondre en ce moment. Merci de rappeler un peu plus tard. Au revoir."),
    give_up_person="Veuillez m'excuser, j'ai du mal à répondre. Je vous passe quelqu'un.",
    go_on=("Voulez-vous que je continue ?", "Souhaitez-vous en savoir plus ?"),
    length_warning=(
        "Je vous signale qu'il nous reste environ {minutes} pour cet appel. Qu'est-ce qui est le plus important "
        "pour vous ?"
    ),
    minutes=("une minute", "{count} minutes"),
    wind_down="Nous devons malheureusement nous arrêter là. Merci de votre appel. Au revoir.",
    time_is_up="L'appel a malheureusement atteint sa durée maximale. Merci, et au revoir.",
    goodbye="Merci de votre appel. Au revoir.",
    person="Un instant, je vous mets en relation.",
    confirm_person="Voulez-vous que je vous passe quelqu'un ?",
    no_person="Je regrette, je ne peux vous passer personne pour le moment.",
    shutting_down=(
        "Veuillez m'excuser, je dois mettre fin à l'appel. Merci de rappeler dans quelques minutes. Au revoir."
    ),
    no_such_key="Cette touche ne correspond à rien ici. Dites-moi simplement ce qu'il vous faut.",
    switched="Bien sûr, parlons français. Comment puis-je vous aider ?",
    dayparts=("Bonjour", "Bonjour", "Bonsoir"),
)
