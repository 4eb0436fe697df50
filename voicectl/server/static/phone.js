// A telephone over the simulator: what is typed is spoken to the agent, what the agent says appears as it is played.
"use strict";
const $ = (id) => document.getElementById(id);
const talk = $("talk"), state = $("state"), words = $("words");
let socket, live = false, chunk = null, mine = null, asked = null, voices = window.speechSynthesis;

function turn(kind, text) {
  const p = document.createElement("p");
  p.className = "turn " + kind;
  if (text) p.textContent = text;
  talk.append(p);
  talk.scrollTop = talk.scrollHeight;
  return p;
}

function setLive(on, text) {
  live = on;
  state.textContent = text;
  for (const id of ["words", "send", "hang"]) $(id).disabled = !on;
  for (const key of $("keys").children) key.disabled = !on;
  $("call").disabled = on || !socket || socket.readyState !== WebSocket.OPEN;
  if (on) words.focus();
  else if (!$("call").disabled) $("call").focus();
}

// One agent bubble per stretch of speech; each chunk in it is a <span> of what is spoken and one of what is ahead.
let bubble = null;
function saying(news) {
  if (!bubble) bubble = turn("agent");
  endChunk(news.text.length, false);
  const done = document.createElement("span"), ahead = document.createElement("span");
  ahead.className = "ahead";
  bubble.append(done, ahead);
  chunk = { text: news.text, done, ahead, from: performance.now(), ms: news.seconds * 1000 };
  if (asked) {
    const late = document.createElement("small");
    late.textContent = `first audio after ${(news.at - asked).toFixed(2)} s`;
    bubble.prepend(late);
    asked = null;
  }
  if ($("voice").checked && voices) {
    const spoken = new SpeechSynthesisUtterance(news.text);
    spoken.rate = 1.1;
    voices.speak(spoken);
  }
  play();
}

function play() {
  if (!chunk) return;
  const share = Math.min(1, (performance.now() - chunk.from) / chunk.ms);
  const cut = Math.round(chunk.text.length * share);
  chunk.done.textContent = chunk.text.slice(0, cut);
  chunk.ahead.textContent = chunk.text.slice(cut);
  talk.scrollTop = talk.scrollHeight;
  if (share < 1) requestAnimationFrame(play);
}

function endChunk(heard, cut) {
  if (!chunk) return;
  // A screen reader is told whole chunks; the words on the page change many times a second.
  $("spoken").textContent = cut ? chunk.text.slice(0, heard) : chunk.text;
  chunk.done.textContent = chunk.text.slice(0, cut ? heard : chunk.text.length);
  chunk.ahead.remove();
  if (cut) {
    const lost = document.createElement("s");
    lost.textContent = chunk.text.slice(heard);
    chunk.done.after(lost);
  }
  chunk = null;
}

function heardOf(text) {
  // The report of a cut chunk is trimmed; find where it ends in the chunk as it was sent.
  const at = chunk ? chunk.text.indexOf(text) : -1;
  return at < 0 ? 0 : at + text.length;
}

const on = {
  AgentSaying: saying,
  AgentSpoke(news) { endChunk(news.cut ? heardOf(news.text) : 0, news.cut); },
  AgentStopped() { endChunk(0, false); bubble = null; },
  CallerCutIn() { bubble = null; if (voices) voices.cancel(); },
  CallerSaid(news) {
    if (!mine) mine = turn("me partial");
    mine.textContent = news.text;
    if (news.final) {
      mine.classList.remove("partial");
      if (!news.reported) turn("note", "not reported: the agent was speaking");
      mine = null;
      asked = news.at;
      bubble = null;
    }
    talk.scrollTop = talk.scrollHeight;
  },
  KeyDialled(news) { turn("me", news.by_agent ? "agent dials " + news.key : "key " + news.key); asked = news.at; bubble = null; },
  Verb(news) { if (news.name !== "Connect") turn("note", news.name + (news.text ? ": " + news.text : "")); },
  Alert(news) { turn("note", "Twilio would report " + news.code + ": " + news.text); },
  Trouble(news) { turn("note", news.why); },
  CallOver(news) { endChunk(0, false); bubble = mine = asked = null; turn("note", "call over: " + news.why); setLive(false, "Call over"); },
};

function connect() {
  socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/phone");
  socket.onopen = () => { setLive(false, "Ready to call"); $("call").focus(); };
  socket.onclose = () => { setLive(false, "Not connected; is voicectl serve running?"); setTimeout(connect, 2000); };
  socket.onmessage = (message) => { const news = JSON.parse(message.data); (on[news.type] || (() => {}))(news); };
}

const send = (wish) => socket.send(JSON.stringify(wish));
$("call").onclick = () => { talk.replaceChildren(); send({ do: "call" }); setLive(true, "On the line"); };
$("hang").onclick = () => send({ do: "hang_up" });
$("say").onsubmit = (event) => {
  event.preventDefault();
  if (!live || !words.value.trim()) return;
  send({ do: "say", text: words.value });
  words.value = "";
};
for (const key of "123456789*0#") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.disabled = true;
  button.onclick = () => send({ do: "keys", keys: key });
  $("keys").append(button);
}
connect();
