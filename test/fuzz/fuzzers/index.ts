import type { Fuzzer } from "../Fuzzer.ts";
import { form, json } from "./body.ts";
import { clientHello } from "./clientHello.ts";
import { declaration } from "./declaration.ts";
import { dnsMessage } from "./dnsMessage.ts";
import { httpReply } from "./httpReply.ts";
import { httpRequest } from "./httpRequest.ts";
import { redaction } from "./redaction.ts";
import { target } from "./target.ts";
import { webSocketFrames } from "./webSocketFrames.ts";

/** Every fuzzer; a new one is a file and a line. */
export const fuzzers: readonly Fuzzer[] = [
  httpRequest,
  httpReply,
  clientHello,
  dnsMessage,
  redaction,
  webSocketFrames,
  declaration,
  json,
  form,
  target,
];
