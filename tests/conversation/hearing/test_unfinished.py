"""What ends in the middle, measured on labelled utterances, and what is a number half dictated."""

from __future__ import annotations

import pytest

from voicectl.conversation.hearing.unfinished import unfinished

BROKEN = """
I'd like to
I would like to.
Um
Uh, so
I want to book a table for
My name is
My name is.
Hi, my name is
And then I
I was wondering if
I was wondering whether you
Could you tell me
Can you
Can you tell me how much the
The problem is
So the thing is
I need a tune-up for my
Do you have any
I'm looking for a
I'm looking for
I want to come on
Are you open on
What time do you
How much is the
How much does it cost to
When can I
Where can I
And on Sundays, do you
I bought a bike from you last week and
It's about my order because
Because
So
And
But
Or
I'd like a table for two at
We are coming with
My order number is
I think I
I have a question about
I have
I'd like
I want
I want,
Well, I was thinking -
So I ordered this thing…
I need to change my booking from Tuesday to
Is there a
What about
How about
Hi, I'm calling about
I'm calling because
Do you have
Can I get
I'd like to know what your
Yes, um
Okay so
It's for my
I would prefer the
I'm interested in
We live in
I have a question regarding the
Can you send it to
Yeah, but the
If I book a table for six people can we
The reason I'm calling is
I wanted to ask you if
What's the difference between
What kind of
I'd like one of
You said that the
I don't know if
It was delivered by
I want to pay with
Is it possible to
Would it be possible to
I have to
I need to
We would like
It's a very
My address is
What are your hours on
What is the price for
I booked a room under
There's
It's
He told me that I
Could you
Do you
Please let me
I tried to call you but
I'd like to cancel my appointment on
What time are you open on
Excuse me, do you have
And what about
I was told that
I bought it in
We'd need it until
I'm trying to
I can come after the
Hello, I'd like to
Sorry, I meant the
Thanks, and
I'm calling to
Do you guys have a
Is there any way I could
Yeah I was just
I'd like to speak with
I need two tickets for the
We wanted to know how
I wanted to see if you guys
I'm not sure if the
It says on your website that you
Okay, and do you
What if I
I have been waiting for
My husband and I
We're looking at
I left my
The last time I
On Saturday I
Well the
Can I bring
Could I have the
It's in the
I paid with my
I want to make a
It's number
When I was there last week the
You guys are
How long does the
Where is the
Which of the
And is the
I was supposed to get
That's not what I
My appointment is on
My appointment is at
My name is Anna and
Please give me
I have an appointment with
Between
From Monday until
I'd rather
Is your shop near
Would you
Are there
So basically I
I have a Trek and it's
Who do I talk to about
When do you guys
It costs
Would there be
Does the tour
How far is it from
I'm a
Hello, I've got a reservation for
Yes I'd like a reservation for Saturday at
Can you check whether my
I was hoping you could
Do I need to have a
The bike that I bought from you is
My flight lands at
We have two kids and a
I'd like to change the date to
I want to return a
Please put it under
I've been trying to reach
I'm staying at the
Is breakfast
Do you have gluten free
I would like to know about the
I'm wondering about
It's been about
I need to speak to the person who
Could we possibly have
Can I pay by
Do you accept
I'd like to leave a message for
I'll be there around
My kids are six and
I have a dentist appointment at four, so
We'd like to come by on
It starts with
I have this bike, it's a
And what if the
How much would it cost if
Actually can I
Sorry, where did you
Let me ask you about
I want the one with
I tried calling before but nobody
Is it okay if I
And is there parking near
I saw on the internet that
We are a group of
I was hoping to speak to the
Yeah I'm calling because my
Could I move my appointment to
We have a booking for tonight and we'd
I need it before
My email is
I paid online but it
Do you have one in
I'd prefer something with
Is the price the same for
Well I don't know, maybe the
Do you think it's possible to
I ordered a bike on your website and it still
Are there any tours that
Do I get my money back if
Let's say around
It's the big one with the
The guy on the phone told me
My daughter wants to
Can I talk to someone about
So my question is
Yeah so I bought this
Would it be okay if we
Okay and then what if I
I'd also like to know when
""".strip().splitlines()

FINISHED = """
What is it for?
What is it for
Where are you from
Which one is it on
I'm in
Turn it on
Yes I do
Yes, I would.
I would
Can you?
Let's go on
Let's go on.
Yes
No
Yes please
Two people
I'd like to book a table for two.
How much is it
How much is it?
Where are you?
What time is it
What are you looking for
Are you open on Sunday
Who should I talk to
Can I walk in
I'd like to check in
Come on in
Can you turn it off
I want to sign up
How do I log in
Is that what you asked for
It's already paid for
That's the one I was looking for
That's the bike I paid for
What should I bring with me
Do I need to bring anything with me
I think so
I hope so.
I don't think so
Why not
Of course not
Maybe not
What's that like
What does it look like
I don't know how
I don't know why
I know what you mean
You know what
Guess what
Thank you
Thanks a lot
See you
How are you
Who are you
What is it
What is that
I like it
It's broken
My tire is flat
The earlier the better
I'd like the blue one
Just this one
Only two
That's all
That's it
Yes, that's right
I want it
I want that too
No, I don't
No we can't
They did
It is
It was
I am
We will
Are you open on Sunday?
Do you sell helmets?
Do you have any more of those
What else do you have
What do you need
What do you have
Is there anything I need to know about
The train I was on
I'd love to
Yes, I'd like to
Yes I want to
I don't want to
If you want to
Do I have to?
I used to
What is included
Do you deliver to Berlin
At five
On Sunday
With my wife
From Boston
Around noon
In the morning
Tell me more
Could you repeat that
Can you say that again
What did you say
I need somebody to talk to
There's nothing to worry about
What's the coffee like
Does it come with a warranty
I called you yesterday
I'm calling about my order
My name is Tom
My number is in the file
Can I come by
I'll drop it off
Can you pick it up
What time do you close
Is Sunday okay
The one on Main Street
Plan A
Option A.
Everything I asked for
How old are you
How long is it for
What's it made of
I have one
I have a question
Please
Good morning
Hello
Stop
Wait
Who is it
Who is it for
What's going on
Carry on
Can I try it on
Can you put me on hold
I'm done
Is it free
A table by the window
Do you know?
That would be great
So what do I do
Never mind
That's what I said
I'm not sure
As soon as possible
Tomorrow
I can't remember
Something like that
All of them
Not really
Where do I sign in
What bus do I take
Does that include tax
I'm looking for a helmet
What do I need to bring
Is there a place to sit down
Is anybody there
How soon can you do it
It doesn't work
I'm fine
Do it
Which do you recommend
When does it start
Where can I park
Where is it at
Which bus stop is it near
What are my options
What are they like
Hold on
My phone broke down
I have no idea
What's new
Next week
No thanks
What about Sunday
How about tomorrow
I need it by Friday
Can you help me
I need help
Put me through
I want to talk to someone
I'd like to cancel
I'd like to reschedule
I want to complain
Do you take cards
Are dogs allowed
You're welcome
Bye
I'm allergic to nuts
Is it the same as last year
How much would that be
How much would it be
How late are you open
Until when
Since when
For how long
What for
Who with
Where to
What is it called
How is it spelled
No I haven't
No I don't think it is
I guess it is
Whatever you have
Whichever you think
As much as you can
Not that I know of
I'm good
Do you remember what it was
That's where I was
That's what it is
I can tell you what I have
I don't know who you are
The same as before
It's for two
A quarter to five
It's on Main
Have you got it on
I'm out
What time do you open up
Is the manager in
Is he in
Are you in on Monday
Is it still on
Is the tour still on
My kids are coming along
I'd be interested
Can I bring my dog along
Can I cancel it later on
It has my name on it
They ran over it
How's it going
Can you do that
And you
You too
Me too
I do too
What's in it
Anyone you like
If I may
If I can
If you could
What can I do
That one over there
I mean Wednesday
I need one more
Not yet
How come
Say that again
What was that
Nothing else
She is
I'm not
I already have
He said he would
Yes it does
Fine by me
Count me in
Where do you come from
What are you up to
What does that depend on
Anything to look out for
The thing I called about
I know
I think it's Tuesday I think
You have a nice day
What did you say your name was
What's your name
Where's that
How many are there
Who is there
Is anyone there
Who else is there
When do I pay
When do I get it back
Who do I pay
What do I owe you
How do you spell that
Where did you say it was
What number should I call
Is that everything
Will you be there
Will you be open
Does it hurt
Can you fix it
Could you fix that by tomorrow
Do you rent them out
Can I drop it off tonight
I dropped it off last week
When will it be done
Is it done
What's included in that
How far out are you
Which train should I get on
How many people fit in
How do I get in
My friend recommended you
It broke again
What can you do about it
I can't get it to work
How do I turn it on
That's what I was afraid of
It's the blue one on the left
I'm running late
We're running about ten minutes late
I won't make it
Is there room for one more
Do we get a discount
It says out of order
I haven't got one
I'm calling from Boston
He's my son
It's under Miller
Under Miller
Just me
Me and my wife
Half past seven
Seven in the evening works
Whatever works
Either one
Neither
Both
Monday or Tuesday
Not this week
Do you ship to Canada
Any discounts
Opening hours
Your address please
What was the name again
Which one is cheaper
What's the cheapest you have
Do you know what that is
I have to think about it
We talked about that
Let me think about it
The one you talked about
It's nothing I can think of
I wish I could
I wish you would
I don't know what to do
I can do that
Can you do it for less
Do you do that
Is there one near you
How old do you have to be
How tall do I have to be
How fit do you need to be
How long will it be
How much is it going to be
That would be it
What would that be
How much will that be
How hot will it be
What should it be
Is that how it is
What a shame
I can hear you
Can you hear me
Is this still on the line
I have been there before
Never have
Of course you can
As much as I can
No more than I have to
You have it
I've had it
What have you got
Have you got one
Have you got any
I don't have any
I don't have one on me
Do you want me to
Would you like me to
Yes and no
I don't know if I can
Not that much
It's not that bad
It is what it is
I'd like to speak to the manager
Move it to Thursday please
Around six
Something with gears
Do you have one in blue
It still hasn't arrived
Do I get my money back
Let's say around noon
My daughter is nine
Next Tuesday would be perfect
That works for me
No that's fine
I'll take it
How do I get there
Could you text it to me
What's your email
It's Baker with a B
B as in boy
You already asked me that
Can you speak up
Sorry I didn't catch that
What do you mean
Which ones do you have left
Do you have anything cheaper
I'm just looking around
I saw it online
I already paid for it
When does the next one leave
Can we sit outside
What happens if it rains
Are you a robot
Am I talking to a real person
I'll think it over
Thanks for letting me know
We're vegetarian
Both of us
It depends
What else is there
Who am I speaking to
How do I find you
The same time as last week
There are four of us
It's a surprise party so no
Is that a problem
I'd rather not
Can you check again
Do I pay when I get there
How much do I have to put down
What day does that fall on
Make it three
""".strip().splitlines()


def test_the_corpus_is_large_and_even() -> None:
    assert len(BROKEN) + len(FINISHED) >= 200
    assert min(len(BROKEN), len(FINISHED)) >= 90
    assert not set(BROKEN) & set(FINISHED)


def test_precision_and_recall() -> None:
    missed = [text for text in BROKEN if not unfinished(text)]
    held = [text for text in FINISHED if unfinished(text)]
    hits = len(BROKEN) - len(missed)
    assert hits / (hits + len(held)) >= 0.99, f"held for nothing: {held}"
    assert hits / len(BROKEN) >= 0.95, f"answered half way: {missed}"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Can I come on?", ""),
        ("What about the?", "broken"),
        ("And my?", "broken"),
        ("Is that for my", "broken"),
        ("I want to,", "broken"),
        ("I wa-", "broken"),
        ("Yes —", "broken"),
        ("Yes.", ""),
        ("Plan A", ""),
        ("I have a", "broken"),
        ("it isn't far, is it", ""),
        ("", ""),
        ("   ", ""),
        ("?", ""),
    ],
)
def test_marks(text: str, how: str) -> None:
    assert unfinished(text) == how


@pytest.mark.parametrize(
    ("language", "broken", "finished"),
    [
        ("de-DE", ["Ich möchte", "Ich hätte gern einen", "Mein Name ist", "Haben Sie am", "Und", "Ich suche", "Äh",
                   "wegen",
                   "Ich wollte fragen, ob", "für zwei Personen und"],
         ["Machen Sie auf", "Ich rufe später an.", "Was kostet das", "Für zwei", "Das ist gut so", "Ich nehme die",
          "Kommen Sie mit", "Haben Sie Sonntag auf?", "Ja", "Sie haben zu, oder?"]),
        ("es-ES", ["Quiero", "Me llamo", "Una mesa para", "Y", "Quisiera reservar una", "eh"],
         ["Sí", "Para dos", "¿Por qué?", "¿Cuánto cuesta?", "Quiero reservar una mesa", "No sé"]),
        ("fr-FR", ["Je voudrais", "Je m’appelle", "Une table pour", "Et", "C’est", "euh"],
         ["C’est où", "Pour deux", "Oui", "Merci beaucoup", "Je voudrais une table"]),
        ("it-IT", ["Vorrei", "Mi chiamo", "Un tavolo per", "e"], ["Per due", "Sì", "Quanto costa?"]),
        ("pt-BR", ["Eu queria", "Meu nome é", "Uma mesa para"], ["Para dois", "Sim", "Quanto custa?"]),
        ("nl-NL", ["Ik wil graag", "Mijn naam is", "Een tafel voor een", "en"], ["Voor twee", "Ja", "Ik weet het"]),
        ("ja-JP", ["えっと", "ドイツ語を", "それで"], ["はい", "予約したいです", "予約したいんですが"]),
        ("pl-PL", ["yyy,", "um"], ["Co to", "do"]),
    ],
)  # fmt: skip
def test_other_languages(language: str, broken: list[str], finished: list[str]) -> None:
    assert [text for text in broken if unfinished(text, language) != "broken"] == []
    assert [text for text in finished if unfinished(text, language)] == []


PHONE = "Sure. What's your phone number? You can say it or type it."


@pytest.mark.parametrize(
    ("text", "asked", "dictating"),
    [
        ("my number is five five", "", True),
        ("My number is 0151.", "", True),
        ("My number is 0151 555 7812.", "", False),
        ("my number is five five five one two three four", "", False),
        ("my order number is 45", "", True),
        ("my order number is 4567", "", False),
        ("my zip code is 021", "", True),
        ("my zip code is 02139", "", False),
        ("Five five five.", PHONE, True),
        ("It's 415 555", PHONE, True),
        ("415 555 1", PHONE, True),
        ("415 555 1234", PHONE, False),
        ("555 1234", PHONE, False),
        ("double five triple seven", PHONE, True),
        ("double five triple seven one two", PHONE, False),
        ("twenty five", "How old are you?", False),
        ("It's 42.", "How old are you?", False),
        ("two", "How many people?", False),
        ("At 5", "What time would you like to come?", False),
        ("4111 1111", "Could you read me your card number?", True),
        ("4111 1111 1111 1111", "Could you read me your card number?", False),
        ("42", "Please tell me the last four digits of your card number.", True),
        ("4242", "Please tell me the last four digits of your card number.", False),
        ("one two", "What's your PIN?", True),
        ("the fifth, 1980?", PHONE, False),
        ("12", "What is your date of birth?", True),
        ("12 03 1980", "What is your date of birth?", False),
        ("March 3 1980", "What is your date of birth?", False),
        ("We are 3", "I have your phone number. How many people are coming?", False),
        ("5", "Our phone number is on the website. How many would you like?", False),
    ],
)
def test_dictating(text: str, asked: str, dictating: bool) -> None:
    assert (unfinished(text, "en-US", asked=asked) == "dictating") is dictating


@pytest.mark.parametrize(
    ("text", "asked", "language"),
    [
        ("null eins fünf eins", "Wie ist Ihre Telefonnummer?", "de-DE"),
        ("Meine Nummer ist 0151", "", "de-DE"),
        ("seis cinco", "¿Cuál es su número de teléfono?", "es-ES"),
        ("zéro six", "Quel est votre numéro de téléphone ?", "fr-FR"),
        ("tre tre", "Qual è il suo numero di telefono?", "it-IT"),
        ("10", "Wie lautet Ihre Postleitzahl?", "de-DE"),
    ],
)
def test_dictating_elsewhere(text: str, asked: str, language: str) -> None:
    assert unfinished(text, language, asked=asked) == "dictating"


@pytest.mark.parametrize(
    "text",
    ["What is it for?", "where are you from", "which one is it on", "I'm in", "turn it on", "yes I do", "I would",
     "Can you?", "let's go on", "What do you have", "Two people.", "how much is it", "the one I paid for"],
)  # fmt: skip
def test_never_held(text: str) -> None:
    assert unfinished(text) == ""


@pytest.mark.parametrize(
    "text",
    ["I'd like to", "My name is.", "The problem is", "can you", "I want", "because", "so", "um", "for the", "with my",
     "I'd like to…", "Yes, and", "it's for my", "I would like to go to the"],
)  # fmt: skip
def test_always_held(text: str) -> None:
    assert unfinished(text) == "broken"
