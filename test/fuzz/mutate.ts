import type { Fuzzer } from "./Fuzzer.ts";
import type { Random } from "./Random.ts";

/** Bytes that readers of lines and lengths stumble over. */
const ODD = [
  0, 1, 9, 10, 11, 12, 13, 32, 34, 37, 44, 45, 46, 47, 48, 58, 59, 61, 64, 92, 127, 128, 192, 255,
];
const LONGEST = 8192;

/** One of the fuzzer's seeds, changed in one to eight ways. */
export function mutated(fuzzer: Fuzzer, random: Random): Buffer {
  let bytes = random.pick(fuzzer.seeds);
  const turns = random.oneIn(20) ? 0 : 1 + random.below(random.oneIn(4) ? 8 : 3);
  for (let turn = 0; turn < turns; turn += 1) bytes = once(bytes, fuzzer, random);
  return bytes.subarray(0, LONGEST);
}

function once(bytes: Buffer, fuzzer: Fuzzer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(random.oneIn(4) ? 64 : 4));
  const word = (): Buffer =>
    fuzzer.words.length > 0 && !random.oneIn(4)
      ? Buffer.from(random.pick(fuzzer.words), "latin1")
      : Buffer.from([random.oneIn(2) ? random.pick(ODD) : random.below(256)]);
  switch (random.below(8)) {
    case 0: // another byte
      return splice(bytes, at, Math.min(bytes.length, at + 1), Buffer.from([random.pick(ODD)]));
    case 1: // a bit
      return splice(
        bytes,
        at,
        Math.min(bytes.length, at + 1),
        Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]),
      );
    case 2: // something goes
      return splice(bytes, at, to, Buffer.alloc(0));
    case 3: // something comes
      return splice(bytes, at, at, word());
    case 4: // something else for something
      return splice(bytes, at, to, word());
    case 5: // something twice
      return splice(bytes, to, to, bytes.subarray(at, to));
    case 6: {
      // a part of another seed
      const other = random.pick(fuzzer.seeds);
      const from = random.below(other.length + 1);
      return splice(
        bytes,
        at,
        random.oneIn(2) ? at : to,
        other.subarray(from, from + random.below(200)),
      );
    }
    default: {
      // a line twice, or moved
      const lines = bytes.toString("latin1").split("\n");
      const line = random.pick(lines);
      lines.splice(random.below(lines.length + 1), random.below(2), line);
      return Buffer.from(lines.join("\n"), "latin1");
    }
  }
}

function splice(bytes: Buffer, from: number, to: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(to)]);
}
