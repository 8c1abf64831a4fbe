import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerError } from "../BrokerError.ts";
import { receiveSockets } from "./receiveSockets.ts";

test("receiveSockets() keeps the order within a name (sd_listen_fds(3))", () => {
  const env = { LISTEN_PID: "7", LISTEN_FDS: "4", LISTEN_FDNAMES: "bot:control:bot:metrics" };
  assert.deepEqual(
    [...receiveSockets(env, 7)],
    [
      ["bot", [3, 5]],
      ["control", [4]],
      ["metrics", [6]],
    ],
  );
});

test("receiveSockets() takes one socket without a name", () => {
  assert.deepEqual([...receiveSockets({ LISTEN_PID: "7", LISTEN_FDS: "1" }, 7)], [["", [3]]]);
});

test("receiveSockets() refuses sockets that are for another process, or that contradict themselves", () => {
  const good = { LISTEN_PID: "7", LISTEN_FDS: "1", LISTEN_FDNAMES: "bot" };
  for (const env of [
    {},
    { ...good, LISTEN_PID: "8" },
    { ...good, LISTEN_PID: undefined },
    { ...good, LISTEN_FDS: "0" },
    { ...good, LISTEN_FDS: "2" },
    { ...good, LISTEN_FDS: "x" },
    { ...good, LISTEN_FDS: "-1" },
    { ...good, LISTEN_FDS: "99999" },
    { ...good, LISTEN_FDNAMES: "bot:bot" },
  ]) {
    assert.throws(() => receiveSockets(env, 7), BrokerError);
  }
});
