import { writeSync } from "node:fs";
import { Audit } from "../audit/Audit.ts";

/**
 * A broker's record in a process of its own, to be killed: begins and ends calls without pause, and says on standard
 * output what has begun (`b <id>`) before it goes on, and what was refused (`r <id>`) after it is written.
 *
 * Arguments: the record's file, rotateBytes, the signing key as PEM.
 */
const [, , file = "", rotateBytes = "", signingKey = ""] = process.argv;
const audit = new Audit(file, (text) => text, { rotateBytes: Number(rotateBytes), signingKey });
const open: NonNullable<ReturnType<Audit["begin"]>>[] = [];

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

function step(): void {
  for (let count = 0; count < 20; count += 1) {
    const call = audit.begin({ bot: "basecamp", kind: "call", host: "api.test:443", path: "/x" });
    if (call === undefined) continue;
    say(`b ${call.id}`);
    open.push(call);
    if (open.length > 5) open.shift()?.end({ outcome: "done", status: 200 });
    if (count % 7 === 0)
      audit.record({ bot: "basecamp", kind: "call", path: "/no" }, { outcome: "refused" });
  }
  setImmediate(step);
}

say("ready");
step();
