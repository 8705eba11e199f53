// Shelly（第2世代以降: Plus i4、1 Mini、BLU ボタンの中継など）のスクリプト。ボタン入力を Mamori に知らせます。
// Script for a Shelly of the second generation or later: tells Mamori of its button input.
//
// 設定 → MQTT: TLS（ユーザー CA に box の ca.crt）、ユーザー名 = ボタンの名前、トピック接頭辞 = BASE/button/名前。
// 入力の種類は「Button」。BASE と NAME を合わせ、「起動時に実行」を有効にします。
// Settings → MQTT: TLS with the box's ca.crt as user CA, user name = the button's, topic prefix = BASE/button/NAME.
// Input type “Button”. Fit BASE and NAME, and switch on “run on startup”.
//
// 短押し=応援、長押し=取り下げ、3秒=緊急。記録されるまで2秒ごとに同じ番号で送り直します。
// Short = help, long = withdraw, three seconds = emergency. Sent again every two seconds until the box has kept it.
let BASE = "mamori/v1/site/floor/box";
let NAME = "button-03";
let LONG_MS = 1000;
let HOLD_MS = 3000;

let topic = BASE + "/button/" + NAME;
let boot = JSON.stringify(Math.floor(Math.random() * 1000000000));
let number = 0;
let pending = null;
let pressedAt = 0;
let downAt = 0;
let holding = null;

function send() {
  if (pending === null || !MQTT.isConnected()) return;
  pending.age_s = Math.floor((Date.now() - pressedAt) / 1000);
  MQTT.publish(topic, JSON.stringify(pending), 1, false);
}

function press(what) {
  number++;
  pressedAt = Date.now();
  pending = { press: what, id: boot + "-" + JSON.stringify(number) };
  send();
}

Shelly.addEventHandler(function (event) {
  if (event.component.indexOf("input:") !== 0) return;
  if (event.info.event === "btn_down") {
    holding = Timer.set(HOLD_MS, false, function () {
      holding = null;
      press("hold");
    });
    downAt = Date.now();
  } else if (event.info.event === "btn_up" && holding !== null) {
    Timer.clear(holding);
    holding = null;
    press(Date.now() - downAt < LONG_MS ? "short" : "long");
  }
});

// The box has kept this very press: it need not be sent again. An older message says nothing of it.
MQTT.subscribe(topic + "/led", function (ledTopic, message) {
  if (pending !== null && JSON.parse(message).told === pending.id) pending = null;
});

Timer.set(2000, true, send);

// Heartbeat: without it the box shows the button as silent.
Timer.set(60000, true, function () {
  if (MQTT.isConnected()) MQTT.publish(topic, JSON.stringify({ state: "online" }), 0, false);
});
