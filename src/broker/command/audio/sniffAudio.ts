/** A recording's format, by what is in it; its name says nothing. */
export interface AudioFormat {
  readonly extension: "wav" | "mp3" | "ogg" | "flac" | "m4a" | "webm";
  readonly mediaType: string;
}

const FORMATS = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  flac: "audio/flac",
  m4a: "audio/mp4",
  webm: "audio/webm",
} as const;

/** What follows an Ogg page's header in a stream's first page: RFC 7845, RFC 9639 section 10.1, Vorbis I, Speex. */
const OGG_CODECS = ["OpusHead", "\x01vorbis", "\x7fFLAC", "Speex   "];
/** ISO 14496-12 section 4.3 and the registry at mp4ra.org: audio, and what phones write around audio. */
const MP4_BRANDS = /^(?:M4A |M4B |mp41|mp42|isom|iso[2-9]|dash|3gp[4-9]|3g2[abc])/;

/**
 * The format of a recording, or undefined for anything else. Only its first bytes are looked at: whether the
 * rest keeps the promise is for the server to find out, and it reads hostile files either way. Written here since
 * libraries for this bring all formats there are, and this one is loaded by the broker.
 */
export function sniffAudio(bytes: Uint8Array): AudioFormat | undefined {
  const found = extensionOf(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)),
  );
  return found === undefined ? undefined : { extension: found, mediaType: FORMATS[found] };
}

function extensionOf(head: Buffer): AudioFormat["extension"] | undefined {
  const text = (from: number, to: number): string => head.toString("latin1", from, to);
  if (/^(?:RIFF|RF64)$/.test(text(0, 4)) && text(8, 12) === "WAVE") return "wav";
  if (text(0, 4) === "fLaC") return "flac";
  if (text(0, 4) === "OggS" && head.length > 27) {
    const content = 27 + (head[26] ?? 0);
    return OGG_CODECS.some((codec) => text(content, content + codec.length) === codec)
      ? "ogg"
      : undefined;
  }
  if (text(4, 8) === "ftyp" && MP4_BRANDS.test(text(8, 12))) return "m4a";
  if (text(0, 4) === "\x1a\x45\xdf\xa3") return docTypeOf(head) === "webm" ? "webm" : undefined;
  if (text(0, 3) === "ID3" || isMpegFrame(head)) return "mp3";
  return undefined;
}

/** The DocType of an EBML header (RFC 8794 section 11.2.4): element 0x4282, then its length. */
function docTypeOf(head: Buffer): string {
  const at = head.indexOf(Buffer.from([0x42, 0x82]));
  if (at < 0) return "";
  const length = (head[at + 2] ?? 0) & 0x7f;
  return head.toString("latin1", at + 3, at + 3 + length).replace(/\0+$/, "");
}

/** An MPEG audio frame of layer III (ISO 11172-3 section 2.4.1.3): sync, and no field with a forbidden value. */
function isMpegFrame(head: Buffer): boolean {
  const [sync = 0, version = 0, rates = 0] = head;
  if (sync !== 0xff || (version & 0xe0) !== 0xe0) return false;
  const layer = (version >> 1) & 3;
  return (
    ((version >> 3) & 3) !== 1 &&
    layer === 1 &&
    rates >> 4 !== 15 &&
    rates >> 4 !== 0 &&
    ((rates >> 2) & 3) !== 3
  );
}
