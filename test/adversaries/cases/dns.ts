import type { Case, DnsCase, Group } from "../Case.ts";
import { framed, header, nameBytes, question } from "../dnsBytes.ts";

const [NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED] = [0, 1, 2, 3, 4, 5];
const NO = [FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED] as const;
const TAIL = Buffer.from([0, 1, 0, 1]);

function udp(
  name: string,
  what: string,
  messages: readonly Buffer[],
  more: Partial<DnsCase> = {},
): Case {
  return {
    name,
    what,
    side: "dns",
    needs: ["dns"],
    dns: { over: "udp", messages, rcodes: NO, ...more },
    expect: { bot: "held" },
  };
}

function tcp(
  name: string,
  what: string,
  messages: readonly Buffer[],
  more: Partial<DnsCase> = {},
): Case {
  return { ...udp(name, what, messages), dns: { over: "tcp", messages, rcodes: NO, ...more } };
}

const UNKNOWN = "evil.test";
const OPT = Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);
const LONG_LABEL = "a".repeat(63);

export const dns: Group = {
  name: "dns",
  cases: [
    udp(
      "unknown",
      "A name that nobody granted doesn't exist; nothing is asked outside.",
      [question(UNKNOWN)],
      { rcodes: [NXDOMAIN, REFUSED] },
    ),
    udp(
      "exfiltrate",
      "Data in the labels of a name.",
      Array.from({ length: 100 }, (_, index) => question(`${LONG_LABEL}.${index}.${UNKNOWN}`)),
      { rcodes: [NXDOMAIN, REFUSED] },
    ),
    udp(
      "exfiltrate-txt",
      "TXT questions to a name of the attacker's.",
      [question(UNKNOWN, { type: 16 })],
      { rcodes: [NXDOMAIN, REFUSED] },
    ),
    udp(
      "root",
      "A question for the root, which is above every name (RFC 8020): no, or no address.",
      [question(Buffer.from([0]))],
      // The shortest question there is; an SOA for caches (RFC 2308) is 65 bytes.
      { rcodes: [NOERROR, ...NO], mostAmplified: 5 },
    ),
    udp("any", "ANY for a name that isn't granted.", [question(UNKNOWN, { type: 255 })]),
    udp("axfr", "A zone transfer.", [question(UNKNOWN, { type: 252 })]),
    udp("class-chaos", "version.bind in class CHAOS.", [
      question("version.bind", { type: 16, class: 3 }),
    ]),
    udp("class-any", "Class ANY.", [question(UNKNOWN, { class: 255 })]),
    udp("class-odd", "A class that nobody knows.", [question(UNKNOWN, { class: 0xfff0 })]),
    udp("questions-two", "Two questions.", [
      Buffer.concat([
        header(1, 0x0100, [2, 0, 0, 0]),
        nameBytes(UNKNOWN),
        TAIL,
        nameBytes(UNKNOWN),
        TAIL,
      ]),
    ]),
    udp("questions-many", "Sixty-five thousand questions, of which one is there.", [
      question(UNKNOWN, { counts: [65535, 0, 0, 0] }),
    ]),
    udp("questions-none", "No question.", [header(1, 0x0100, [0, 0, 0, 0])]),
    udp("answers-inside", "A question that brings answers along.", [
      question(UNKNOWN, { counts: [1, 5, 0, 0] }),
    ]),
    udp(
      "response",
      "An answer instead of a question: silence, or two servers could talk for ever.",
      [question(UNKNOWN, { flags: 0x8180 })],
      { rcodes: [] },
    ),
    udp("pointer-self", "A name that points to itself.", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([0xc0, 12]), TAIL]),
    ]),
    udp("pointer-loop", "Two pointers that point to each other.", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([0xc0, 14, 0xc0, 12]), TAIL]),
    ]),
    udp("pointer-forward", "A pointer beyond the message.", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([0xff, 0xff]), TAIL]),
    ]),
    udp("pointer-header", "A pointer into the header.", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([0xc0, 0]), TAIL]),
    ]),
    udp("pointer-behind-label", "A label and then a pointer to it.", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([1, 97, 0xc0, 12]), TAIL]),
    ]),
    udp("label-reserved", "A label of a reserved kind (0x80).", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([0x80, 1, 0]), TAIL]),
    ]),
    udp("label-extended", "A label of the extended kind (0x41).", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), Buffer.from([0x41, 1, 0]), TAIL]),
    ]),
    udp("name-long", "A name longer than 255 octets.", [
      question([LONG_LABEL, LONG_LABEL, LONG_LABEL, LONG_LABEL, LONG_LABEL].join(".")),
    ]),
    udp("name-unended", "A name without an end.", [
      Buffer.concat([header(1, 0x0100, [1, 0, 0, 0]), nameBytes(UNKNOWN).subarray(0, -1)]),
    ]),
    udp("name-one-letter-labels", "A hundred and twenty-seven labels.", [
      question(Array.from({ length: 127 }, () => "a").join(".")),
    ]),
    udp("name-nul", "A NUL inside of a label.", [question("api\x00.test")]),
    udp("name-dot-inside", "A label with a dot inside.", [
      question(Buffer.from("\x08api.test\x00", "latin1")),
    ]),
    udp("name-binary", "A label of bytes.", [
      question(Buffer.from("\x04\xff\xfe\x80\x00\x00", "latin1")),
    ]),
    udp(
      "cut",
      "A message cut after each of its bytes.",
      Array.from({ length: 26 }, (_, length) => question(UNKNOWN).subarray(0, length + 1)),
    ),
    udp("trailing", "Bytes behind the question.", [
      Buffer.concat([question(UNKNOWN), Buffer.from("more")]),
    ]),
    udp("opt-two", "Two OPT records.", [
      Buffer.concat([question(UNKNOWN, { counts: [1, 0, 0, 2] }), OPT, OPT]),
    ]),
    udp("opt-length", "An OPT record that is longer than the message.", [
      Buffer.concat([
        question(UNKNOWN, { counts: [1, 0, 0, 1] }),
        OPT.subarray(0, 9),
        Buffer.from([0xff, 0xff]),
      ]),
    ]),
    udp(
      "opt-version",
      "EDNS version 255.",
      [
        Buffer.concat([
          question(UNKNOWN, { counts: [1, 0, 0, 1] }),
          Buffer.from([0, 0, 41, 0x10, 0, 0, 255, 0, 0, 0, 0]),
        ]),
      ],
      // BADVERS is 16: its upper bits stand in the OPT record.
      { rcodes: [NOERROR, ...NO] },
    ),
    udp("opcode-update", "An UPDATE.", [question(UNKNOWN, { flags: 0x2800 })]),
    udp("opcode-notify", "A NOTIFY.", [question(UNKNOWN, { flags: 0x2000 })]),
    udp("opcode-status", "STATUS.", [question(UNKNOWN, { flags: 0x1000 })]),
    udp("opcode-15", "An opcode that nobody knows.", [question(UNKNOWN, { flags: 0x7800 })]),
    udp("flags-all", "Every flag set but QR.", [question(UNKNOWN, { flags: 0x07ff })]),
    udp("empty", "Nothing at all.", [Buffer.alloc(0)], { rcodes: [] }),
    udp("zeros", "Five hundred zeros.", [Buffer.alloc(500)]),
    udp("ones", "Five hundred times 0xff.", [Buffer.alloc(500, 255)]),
    udp(
      "huge",
      "A datagram of sixty thousand bytes.",
      [Buffer.concat([question(UNKNOWN), Buffer.alloc(60_000)])],
      { rcodes: NO },
    ),
    udp(
      "wrong-types",
      "Types from 0 to 300 for an unknown name.",
      Array.from({ length: 300 }, (_, type) => question(UNKNOWN, { type })),
      { rcodes: NO },
    ),
    tcp(
      "tcp-many",
      "A thousand questions on one connection at once.",
      Array.from({ length: 1000 }, () => framed(question(UNKNOWN))),
    ),
    tcp(
      "tcp-length-long",
      "A length of 65535 before a short message.",
      [Buffer.concat([Buffer.from([0xff, 0xff]), question(UNKNOWN)])],
      { rcodes: NO },
    ),
    tcp("tcp-length-short", "A length shorter than the message: what follows is no message.", [
      Buffer.concat([Buffer.from([0, 5]), question(UNKNOWN)]),
    ]),
    tcp("tcp-length-zero", "Lengths of zero.", [Buffer.alloc(2000)]),
    tcp("tcp-http", "HTTP on the port of DNS.", [Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]),
    tcp("tcp-half", "Half a message, and then nothing.", [
      framed(question(UNKNOWN)).subarray(0, 9),
    ]),
    tcp(
      "tcp-answer",
      "An answer instead of a question.",
      [framed(question(UNKNOWN, { flags: 0x8180 }))],
      { rcodes: [] },
    ),
    udp(
      "flood",
      "Two thousand questions as fast as they go: those behind them are answered.",
      Array.from({ length: 2000 }, (_, index) => question(`${index}.${UNKNOWN}`)),
    ),
    udp(
      "noerror-unknown",
      "No answer to any of many spellings says that an unknown name is there.",
      [
        UNKNOWN,
        UNKNOWN.toUpperCase(),
        `${UNKNOWN}.local`,
        "169.254.169.254",
        "1.0.0.127.in-addr.arpa",
      ].map((name) => question(name)),
      { rcodes: NO.filter((code) => code !== NOERROR) },
    ),
  ],
};
