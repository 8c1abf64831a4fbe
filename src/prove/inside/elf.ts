/** Machine code that ends the process with this status, and with 0 if it runs as root when asked so. */
const CODE = {
  // mov edi, STATUS; mov eax, 60 (exit); syscall
  x86_64: (status: number) => [0xbf, status, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05],
  // mov x0, STATUS; mov x8, 93 (exit); svc 0
  aarch64: (status: number) => [
    status << 5,
    status >> 3,
    0x80,
    0xd2,
    0xa8,
    0x0b,
    0x80,
    0xd2,
    1,
    0,
    0,
    0xd4,
  ],
} as const;

/** geteuid(2), and the result as the status. */
const EUID = {
  // mov eax, 107; syscall; mov edi, eax; mov eax, 60; syscall
  x86_64: [0xb8, 107, 0, 0, 0, 0x0f, 0x05, 0x89, 0xc7, 0xb8, 60, 0, 0, 0, 0x0f, 0x05],
  // mov x8, 175; svc 0; mov x8, 93; svc 0
  aarch64: [0xe8, 0x15, 0x80, 0xd2, 1, 0, 0, 0xd4, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4],
} as const;

export const EXIT_STATUS = 42;

/** A whole program, static, that ends with EXIT_STATUS; 132 bytes (elf(5)). */
export function program(architecture: "x86_64" | "aarch64"): Buffer {
  return assemble(architecture, CODE[architecture](EXIT_STATUS));
}

/** One that ends with its effective user id (its low eight bits). */
export function euidProgram(architecture: "x86_64" | "aarch64"): Buffer {
  return assemble(architecture, EUID[architecture]);
}

function assemble(architecture: "x86_64" | "aarch64", code: readonly number[]): Buffer {
  const HEAD = 64 + 56;
  const BASE = 0x40_0000n;
  const out = Buffer.alloc(HEAD + code.length);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  out.writeUInt16LE(2, 16);
  out.writeUInt16LE(architecture === "x86_64" ? 62 : 183, 18);
  out.writeUInt32LE(1, 20);
  out.writeBigUInt64LE(BASE + BigInt(HEAD), 24);
  out.writeBigUInt64LE(64n, 32);
  out.writeUInt16LE(64, 52);
  out.writeUInt16LE(56, 54);
  out.writeUInt16LE(1, 56);
  // One segment, read and execute.
  out.writeUInt32LE(1, 64);
  out.writeUInt32LE(5, 68);
  out.writeBigUInt64LE(BASE, 80);
  out.writeBigUInt64LE(BASE, 88);
  out.writeBigUInt64LE(BigInt(out.length), 96);
  out.writeBigUInt64LE(BigInt(out.length), 104);
  out.writeBigUInt64LE(0x1000n, 112);
  out.set(code, HEAD);
  return out;
}
