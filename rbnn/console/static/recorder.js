// Sound from the microphone as a WAV file: mono, 16 kHz, 16 bits.

import { Refusal } from "./api.js";

const RATE = 16000;
const SECONDS = 2;

// Records until `stopped` is aborted, or for SECONDS; tells `level` (0 to 1) and the time left.
export async function record(stopped, tell) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Refusal("This browser gives the page no microphone.",
      "Open the address that the console printed, with 127.0.0.1 or localhost in it.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false },
    });
  } catch (error) {
    throw new Refusal(error.name === "NotAllowedError" ? "The microphone was not allowed."
      : `No microphone can be used: ${error.message}.`,
    "Allow it for this page, or choose a WAV file.");
  }
  const context = new AudioContext();
  try {
    await context.resume(); // Safari starts it suspended
    await context.audioWorklet.addModule("static/recorder-worklet.js");
    const source = context.createMediaStreamSource(stream);
    const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
    const parts = [];
    let count = 0;
    await new Promise(done => {
      stopped.addEventListener("abort", done, { once: true });
      tap.port.onmessage = ({ data }) => {
        parts.push(data);
        count += data.length;
        const left = SECONDS - count / context.sampleRate;
        tell(Math.min(1, 4 * Math.hypot(...data) / Math.sqrt(data.length)), Math.max(0, left));
        if (left <= 0) done();
      };
      source.connect(tap);
    });
    source.disconnect();
    if (!count) throw new Refusal("Nothing was recorded.", "Record again, a little longer.");
    return await encode(parts, count, context.sampleRate);
  } finally {
    stream.getTracks().forEach(track => track.stop());
    await context.close();
  }
}

async function encode(parts, count, rate) {
  const whole = new AudioBuffer({ length: count, sampleRate: rate });
  let at = 0;
  for (const part of parts) {
    whole.copyToChannel(part, 0, at);
    at += part.length;
  }
  const length = Math.max(1, Math.round(count * RATE / rate));
  const offline = new OfflineAudioContext(1, length, RATE);
  const source = offline.createBufferSource();
  source.buffer = whole;
  source.connect(offline.destination);
  source.start();
  const samples = (await offline.startRendering()).getChannelData(0);
  const time = new Date().toLocaleTimeString("en-GB").replaceAll(":", "");
  return new File([wav(samples)], `recording-${time}.wav`, { type: "audio/wav" });
}

function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) =>
    [...letters].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, k) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(44 + 2 * k, Math.max(-32768, Math.min(32767, Math.round(32768 * clipped))), true);
  });
  return view.buffer;
}
