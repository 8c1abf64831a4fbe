import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { classifyAddress, type AddressClass } from "./classifyAddress.ts";

const TABLE: Readonly<Record<AddressClass, readonly (readonly string[])[]>> = {
  public: [
    ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"],
    ["126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255"],
    ["169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0"],
    ["192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0"],
    ["198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255"],
    ["203.0.114.0", "223.255.255.255", "100.1.2.3"],
    ["2606:4700::1111", "2000::", "2001:200::", "2001:db7::1", "2001:db9::1", "2003::"],
    ["2001:4860:4860::8888", "2a00:1450:4001:81b::200e", "2620:fe::fe", "3ffe::1", "3fff:1000::"],
    ["::ffff:8.8.8.8", "::ffff:808:808", "::FFFF:8.8.8.8", "0:0:0:0:0:ffff:8.8.8.8"],
    ["64:ff9b::8.8.8.8", "64:ff9b::808:808", "2606:4700:0:0:100:5efe:7f00:1"],
  ],
  private: [
    ["10.0.0.0", "10.1.2.3", "10.255.255.255", "172.16.0.0", "172.31.255.255"],
    ["192.168.0.0", "192.168.255.255", "100.64.0.0", "100.100.100.199", "100.127.255.255"],
    ["fc00::", "fc00::1", "fd12::1", "fdff:ffff::1", "fd00:ec2::255"],
    ["::ffff:10.0.0.1", "::ffff:a00:1", "::ffff:192.168.1.1", "::ffff:100.64.0.1"],
  ],
  loopback: [
    ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "::0001"],
    ["::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:7F00:0001", "::0.0.0.1"],
  ],
  "link-local": [
    ["169.254.0.0", "169.254.1.1", "169.254.255.255", "fe80::", "fe80::1", "febf:ffff::1"],
    ["fe80::1%eth0", "fe80::1%1", "2606:4700::1111%eth0", "::ffff:169.254.1.1", "x%eth0"],
  ],
  metadata: [
    ["169.254.169.254", "169.254.169.253", "169.254.169.123", "169.254.170.2"],
    ["169.254.170.23", "169.254.0.23", "169.254.42.42", "168.63.129.16", "100.100.100.200"],
    ["192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd00:ec2::253", "fd20:ce::254"],
    ["fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:42::42", "fe80::a9fe:a9fe"],
    ["FD00:EC2::254", "fd00:0ec2:0:0:0:0:0:254", "fe80::a9fe:a9fe%eth0"],
    ["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:168.63.129.16"],
    ["::ffff:100.100.100.200", "::ffff:192.0.0.192"],
  ],
  special: [
    // This network, protocol assignments, documentation, 6to4 relays, AS112, AMT, benchmarks.
    ["0.0.0.0", "0.1.2.3", "0.255.255.255", "192.0.0.0", "192.0.0.8", "192.0.0.255"],
    ["192.0.2.0", "192.0.2.255", "198.51.100.1", "203.0.113.1", "192.88.99.1"],
    ["192.31.196.1", "192.52.193.1", "192.175.48.1", "198.18.0.0", "198.19.255.255"],
    // Multicast, reserved, broadcast.
    ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.254", "255.255.255.255"],
    // The same inside IPv6.
    ["::ffff:0.0.0.0", "::ffff:0:0", "::ffff:198.18.0.1", "::ffff:255.255.255.255"],
    // IPv4-compatible (RFC 4291 2.5.5.1).
    ["::", "::7f00:1", "::127.0.0.1", "::10.0.0.1", "::a00:1", "::8.8.8.8", "::169.254.169.254"],
    ["::a9fe:a9fe", "::2", "::ffff:ffff"],
    // IPv4-translated (RFC 2765).
    ["::ffff:0:7f00:1", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "::ffff:0:a9fe:a9fe"],
    // NAT64 with what isn't public inside, and local NAT64 (RFC 8215) whatever is.
    ["64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["64:ff9b::169.254.169.254", "64:ff9b::a83f:8110", "64:ff9b::6464:64c8", "64:ff9b::0.0.0.0"],
    ["64:ff9b::100.64.0.1", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::a00:1"],
    ["64:ff9b:0:0:0:1::1", "64:ff9c::808:808"],
    // 6to4 (RFC 3056), Teredo (RFC 4380), ISATAP (RFC 5214).
    ["2002::", "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:808:808::1"],
    ["2001::", "2001:0:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:0:0:ffff::"],
    ["2606:4700::5efe:7f00:1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:a9fe:a9fe"],
    // Benchmarks, AMT, AS112, ORCHID, drones, documentation.
    ["2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1"],
    ["2001:1::1", "2001:1ff::1", "2001:db8::1", "2001:db8:ffff::1", "2620:4f:8000::1"],
    ["3fff::1", "3fff:fff::1"],
    // Discard-only, dummy, SRv6, site-local, multicast, unassigned.
    ["100::1", "100:0:0:1::1", "5f00::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1", "ffff::1"],
    ["1::1", "1000::1", "4000::1", "6000::1", "8000::1", "e000::1", "fe00::1", "f000::1"],
    // What isn't one plain spelling of an address: other libraries read some of these as loopback.
    [
      "",
      " ",
      "nonsense",
      "localhost",
      "127.1",
      "127.0.1",
      "0177.0.0.1",
      "0x7f.0.0.1",
      "0x7f000001",
    ],
    ["2130706433", "127.0.0.1.", " 127.0.0.1", "127.0.0.1 ", "127.0.0.01", "127.0.0.256"],
    ["::ffff:010.0.0.1", "::ffff:127.1", "::ffff:0x7f.0.0.1", "[::1]", "::1/128", "1:2:3:4:5:6:7"],
    [
      "1:2:3:4:5:6:7:8:9",
      "12345::",
      ":::",
      "::1::",
      "g::1",
      "127.0.0.1:80",
      "１２７.0.0.1",
      "127。0.0.1",
    ],
  ],
};

for (const [wanted, addresses] of Object.entries(TABLE)) {
  test(`classifyAddress() finds these ${wanted}`, () => {
    for (const address of addresses.flat()) assert.equal(classifyAddress(address), wanted, address);
  });
}

test("the table of addresses is as long as it should be, each address in it once", () => {
  const all = Object.values(TABLE).flat(2);
  assert.ok(all.length >= 150, String(all.length));
  assert.equal(new Set(all).size, all.length);
});

/** What isn't public, written down a second time: first and last address, in hexadecimal. */
const CLOSED_V4: readonly (readonly [first: number, last: number])[] = [
  [0x00000000, 0x00ffffff],
  [0x0a000000, 0x0affffff],
  [0x64400000, 0x647fffff],
  [0x7f000000, 0x7fffffff],
  [0xa83f8110, 0xa83f8110],
  [0xa9fe0000, 0xa9feffff],
  [0xac100000, 0xac1fffff],
  [0xc0000000, 0xc00000ff],
  [0xc0000200, 0xc00002ff],
  [0xc01fc400, 0xc01fc4ff],
  [0xc034c100, 0xc034c1ff],
  [0xc0586300, 0xc05863ff],
  [0xc0a80000, 0xc0a8ffff],
  [0xc0af3000, 0xc0af30ff],
  [0xc6120000, 0xc613ffff],
  [0xc6336400, 0xc63364ff],
  [0xcb007100, 0xcb0071ff],
  [0xe0000000, 0xffffffff],
];

function naivelyPublicV4(value: number): boolean {
  return !CLOSED_V4.some(([first, last]) => value >= first && value <= last);
}

/** By the hexadecimal text of all 16 bytes. */
function naivelyPublicV6(hex: string): boolean {
  const inner = Number.parseInt(hex.slice(24), 16);
  if (hex.startsWith("00000000000000000000ffff")) return naivelyPublicV4(inner);
  if (hex.startsWith("0064ff9b0000000000000000")) return naivelyPublicV4(inner);
  if (!/^[23]/.test(hex)) return false;
  if (/^2002|^20010db8|^3fff0|^2620004f8000/.test(hex)) return false;
  if (hex.startsWith("2001") && Number.parseInt(hex.slice(4, 8), 16) < 0x200) return false;
  return !/^.{16}0[02]005efe/.test(hex);
}

const edges = CLOSED_V4.flatMap(([first, last]) => [first - 1, first, last, last + 1]).filter(
  (value) => value >= 0 && value <= 0xffffffff,
);
const v4 = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 0xffffffff }));

function dotted(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

test("classifyAddress() agrees with a naive list about IPv4", () => {
  fc.assert(
    fc.property(v4, (value) => {
      const found = classifyAddress(dotted(value));
      assert.equal(found === "public", naivelyPublicV4(value), dotted(value));
    }),
    { numRuns: 3000 },
  );
});

const PREFIXES = [
  ["", "0000", "00000000000000000000ffff", "0000000000000000ffff0000", "000000000000000000000000"],
  ["0064ff9b0000000000000000", "0064ff9b0001", "20010000", "2001", "20020a00", "20010db8"],
  ["2606470000000000", "260647000000000000005efe", "260647000000000002005efe", "3fff0", "3fff1"],
  ["fc", "fd", "fe8", "fec", "ff", "5f00", "0100", "2620004f8000", "2001020", "200101f"],
].flat();
const v6 = fc
  .tuple(
    fc.constantFrom(...PREFIXES),
    fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 }),
    fc.option(v4),
  )
  .map(([prefix, digits, tail]) => {
    const random = digits.map((digit) => digit.toString(16)).join("");
    const hex = `${prefix}${random}`.slice(0, 32);
    return tail === null ? hex : `${hex.slice(0, 24)}${tail.toString(16).padStart(8, "0")}`;
  });

/** The same address in the ways it may be written. */
function spellings(hex: string): readonly string[] {
  const groups = Array.from({ length: 8 }, (_, at) => hex.slice(4 * at, 4 * at + 4));
  const short = groups.map((group) => Number.parseInt(group, 16).toString(16));
  const shrunk = `:${short.join(":")}:`
    .replace(/(?::0)+:/, "::")
    .replaceAll(/^:(?!:)|(?<!:):$/g, "");
  return [
    groups.join(":"),
    groups.join(":").toUpperCase(),
    short.join(":"),
    shrunk,
    `${groups.slice(0, 6).join(":")}:${dotted(Number.parseInt(hex.slice(24), 16))}`,
  ];
}

test("classifyAddress() agrees with a naive list about IPv6, however it is written", () => {
  fc.assert(
    fc.property(v6, (hex) => {
      const found = spellings(hex).map((text) => [text, classifyAddress(text)] as const);
      for (const [text, kind] of found) {
        assert.equal(kind, found[0]?.[1], text);
        assert.equal(kind === "public", naivelyPublicV6(hex), text);
      }
    }),
    { numRuns: 5000 },
  );
});

test("classifyAddress() never throws, whatever it is given", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.%/x".split("")) }),
      (a, b) => {
        for (const text of [a, b, `${b}%${a}`]) assert.notEqual(classifyAddress(text), undefined);
      },
    ),
  );
});
