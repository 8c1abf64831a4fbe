import type { Finding } from "../Attack.ts";
import { inUserNamespace, judge } from "./attempt.ts";
import { held, through } from "./findings.ts";
import type { Kernel } from "./Kernel.ts";
import { getSystemErrorName } from "node:util";

/** include/uapi/linux/rtnetlink.h and netlink.h: what makes something is followed by what removes it. */
export const RTM_NEWADDR = 20;
export const RTM_NEWROUTE = 24;
const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NLM_F_REQUEST_ACK_CREATE = 0x1 | 0x4 | 0x400;
const NLMSG_ERROR = 2;
const LOOPBACK = 1;

/** Asks the kernel's routing to make something, and to remove it again if it did. */
export function netlink(kernel: Kernel, type: number, body: Buffer): Finding {
  const made = send(kernel, type, body);
  if (made.state === "through") send(kernel, type + 1, body);
  return made;
}

function send(kernel: Kernel, type: number, body: Buffer): Finding {
  const opened = kernel.call("socket", AF_NETLINK, SOCK_RAW, 0);
  if ("error" in opened) return judge(kernel, "socket", opened);
  const fd = opened.value;
  try {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(head.length + body.length, 0);
    head.writeUInt16LE(type, 4);
    head.writeUInt16LE(NLM_F_REQUEST_ACK_CREATE, 6);
    const message = Buffer.concat([head, body]);
    const sent = kernel.call("sendto", fd, message, message.length, 0, 0, 0);
    if ("error" in sent) return judge(kernel, "sendto", sent);
    const reply = Buffer.alloc(4096);
    const got = kernel.call("recvfrom", fd, reply, reply.length, 0, 0, 0);
    if ("error" in got) return judge(kernel, "recvfrom", got);
    const error = reply.readUInt16LE(4) === NLMSG_ERROR ? reply.readInt32LE(16) : 0;
    if (error === 0) return through("the kernel did it");
    const name = getSystemErrorName(error);
    if (name !== "EPERM") return held("kernel", `netlink: ${name}`);
    return held(inUserNamespace() ? "user namespace" : "capabilities", `netlink: ${name}`);
  } finally {
    kernel.call("close", fd);
  }
}

/** struct rtmsg and its attributes: a route by the loopback. */
export function route(network: string, length: number): Buffer {
  // Family, lengths, tos, table main, protocol static, scope link, type unicast, flags.
  const head = Buffer.from([AF_INET, length, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0]);
  return Buffer.concat([head, attribute(1, octets(network)), attribute(4, index())]);
}

/** struct ifaddrmsg and its attributes: an address of the loopback. */
export function address(own: string, length: number): Buffer {
  const head = Buffer.from([AF_INET, length, 0, 0]);
  return Buffer.concat([head, index(), attribute(2, octets(own)), attribute(1, octets(own))]);
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + value.length, 0);
  head.writeUInt16LE(type, 2);
  return Buffer.concat([head, value]);
}

function index(): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(LOOPBACK, 0);
  return bytes;
}

function octets(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}
