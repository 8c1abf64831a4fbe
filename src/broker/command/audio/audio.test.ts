import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formBody } from "./formBody.ts";
import { sniffAudio } from "./sniffAudio.ts";

const FILES = join(import.meta.dirname, "testing");

test("sniffAudio() knows the recordings of a real encoder by what is in them", () => {
  for (const [file, extension] of [
    ["tone.wav", "wav"],
    ["bare.mp3", "mp3"],
    ["tagged.mp3", "mp3"],
    ["tone.ogg", "ogg"],
    ["tone.opus", "ogg"],
    ["tone.flac", "flac"],
    ["tone.m4a", "m4a"],
    ["tone.webm", "webm"],
  ] as const)
    assert.equal(sniffAudio(readFileSync(join(FILES, file)))?.extension, extension, file);
});

test("sniffAudio() takes nothing else, whatever it begins like", () => {
  for (const text of [
    "",
    "R",
    "RIFF",
    "RIFF\0\0\0\0AVI LIST",
    "RIFF\0\0\0\0WEBPVP8 ",
    "OggS",
    `OggS${"\0".repeat(22)}\x01\x1e\x80theora`,
    "\0\0\0\x18ftypavif",
    "\0\0\0\x18ftypheic",
    "\x1a\x45\xdf\xa3",
    "\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska",
    "\xff\xd8\xff\xe0\0\x10JFIF",
    "\xff\xff\xff\xff\xff",
    "\xff\xfb\xf0\x00",
    "%PDF-1.7",
    "\x89PNG\r\n\x1a\n",
    "#!/bin/sh\n",
    "<html><audio>",
    "PK\x03\x04",
    '{"text":"tone.wav"}',
  ])
    assert.equal(sniffAudio(Buffer.from(text, "latin1")), undefined, JSON.stringify(text));
});

test("formBody() can't be broken out of by a value", async () => {
  const prompt = '--seawall\r\ncontent-disposition: form-data; name="file"\r\n\r\nother\r\n--';
  const { contentType, body } = formBody(
    { prompt },
    {
      name: "file",
      fileName: "a.wav",
      mediaType: "audio/wav",
      bytes: Buffer.from("\r\n--x\0\xff"),
    },
  );
  const form = await new Response(new Uint8Array(body), {
    headers: { "content-type": contentType },
  }).formData();
  assert.deepEqual([...form.keys()], ["prompt", "file"]);
  assert.equal(form.get("prompt"), prompt);
  const file = form.get("file");
  assert.ok(file instanceof File);
  assert.equal(file.type, "audio/wav");
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), Buffer.from("\r\n--x\0\xff"));
});
