import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { isRefusal } from "../Refusal.ts";
import { readCall, type Call } from "../match.ts";
import { BodyRooms } from "./BodyRooms.ts";
import { readBody } from "./readBody.ts";

test("BodyRooms bounds what one bot has collected at once, until its calls are over", () => {
  const rooms = new BodyRooms(10);
  const one = rooms.enter("basecamp");
  const two = rooms.enter("basecamp");
  assert.ok(one.take(6));
  assert.ok(two.take(4));
  assert.ok(!two.take(1));
  assert.ok(rooms.enter("erdos").take(10));
  one.leave();
  one.leave();
  assert.ok(two.take(6));
  assert.ok(!two.take(1));
  two.leave();
  assert.ok(rooms.enter("basecamp").take(10));
});

test("readBody() refuses a body there is no room for, packed or not", async () => {
  const read = readCall({
    method: "POST",
    target: "/",
    version: "1.1",
    headers: [
      ["host", "x"],
      ["content-encoding", "gzip"],
      ["transfer-encoding", "chunked"],
    ],
  });
  assert.ok(!isRefusal(read));
  const body = gzipSync(Buffer.alloc(1000));
  const result = async (call: Call, most: number): Promise<string> => {
    const read = await readBody(
      call,
      (async function* () {
        yield await Promise.resolve(body);
      })(),
      new BodyRooms(most).enter("basecamp"),
    );
    return isRefusal(read) ? read.refused : "read";
  };
  assert.equal(await result(read, body.length - 1), "too-many-bodies");
  assert.equal(await result(read, 999), "too-many-bodies");
  assert.equal(await result(read, 1000), "read");
});
