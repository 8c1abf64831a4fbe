import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Ask } from "../../src/host/index.ts";
import { betweenLooks, type Deployment } from "../support/Deployment.ts";
import { assertFailed } from "../support/failures.ts";

const RULE = "POST /bot{secret}/sendMessage";

/**
 * The tests of `seawall approve` on a running deployment, whose bot `a` may say nothing on Telegram unless its owner
 * agrees; each goes on from the one before.
 *
 * @param declare writes the declaration as it was applied, with this in the grant of a's Telegram and this beside the bots
 */
export function testApprove(
  running: () => Deployment,
  declare: (grant: object, beside: object) => void,
): void {
  let deployment: Deployment;
  let file: string;
  let told: string;

  before(async () => {
    deployment = running();
    file = join(deployment.folder, "seawall.json5");
    told = join(deployment.folder, "told");
    declare(
      { ask: [RULE] },
      { approvals: { notify: { command: ["/bin/sh", "-c", 'cat >> "$0"', told] } } },
    );
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(`"${RULE}"`, `$&, // until I trust it`));
    const [bot] = (await deployment.status()).bots;
    await deployment.ok(["up"]);
    assert.equal((await deployment.status()).bots[0]?.pid, bot?.pid, "only the broker is asked");
  });

  const asks = async (): Promise<readonly Ask[]> => {
    const { asks: waiting } = JSON.parse(await deployment.ok(["approve", "--json"])) as {
      asks: readonly Ask[];
    };
    return waiting;
  };

  const nextAsk = async (): Promise<Ask> => {
    for (const deadline = performance.now() + 120_000; performance.now() < deadline;) {
      const [ask] = await asks();
      if (ask !== undefined) return ask;
      await betweenLooks();
    }
    throw new Error("nothing was asked");
  };

  test("lists what waits, in status too, without any secret or phantom", async () => {
    assert.equal(await deployment.ok(["approve"]), "nothing waits for your word\n");
    deployment.standIns.telegram.sendAsUser("hello");
    const ask = await nextAsk();
    assert.deepEqual(
      { bot: ask.bot, grant: ask.grant, host: ask.host, method: ask.method, rule: ask.rule },
      {
        bot: "a",
        grant: "telegram",
        host: "api.telegram.org:443",
        method: "POST",
        rule: RULE,
      },
    );
    const shown = await deployment.ok(["approve"]);
    assert.match(shown, new RegExp(`^${ask.id.slice(0, 8)}  a: POST api\\.telegram\\.org:443`));
    assert.equal((await deployment.status()).asks, 1);
    assert.match(await deployment.ok(["status"]), /1 waiting for your word/);
    const heard = readFileSync(told, "utf8");
    assert.equal((JSON.parse(heard.split("\n", 1).join("")) as Ask).id, ask.id);
    for (const text of [shown, heard, JSON.stringify(ask)])
      assert.doesNotMatch(text, /\d{9,}:AA/, "a token of Telegram's shape");
  });

  test("--once lets this call pass, and the next one waits again", async () => {
    const ask = await nextAsk();
    const reply = deployment.standIns.telegram.nextReply(120_000);
    assert.match(
      await deployment.ok(["approve", ask.id.slice(0, 8), "--once"]),
      /^allowed: a: POST api\.telegram\.org:443\/bot\{secret\}\/sendMessage/,
    );
    assert.notEqual(await reply, "");
    assertFailed(await deployment.run(["approve", ask.id, "--once"]), 1, /nothing waits under/);
    deployment.standIns.telegram.sendAsUser("and now?");
    assert.notEqual((await nextAsk()).id, ask.id);
  });

  test("--always moves the rule in the declaration, its comments kept, while the bot runs on", async () => {
    const [before] = (await deployment.status()).bots;
    const text = readFileSync(file, "utf8");
    const reply = deployment.standIns.telegram.nextReply(120_000);
    const { stderr, code } = await deployment.run(["approve", (await nextAsk()).id, "--always"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^- "POST \/bot\{secret\}\/sendMessage", \/\/ until I trust it$/m);
    assert.equal(
      readFileSync(file, "utf8"),
      text.replace(`\n            "${RULE}", // until I trust it`, ""),
      "what the service's own list allows needn't be added",
    );
    assert.notEqual(await reply, "");
    assert.equal((await deployment.status()).bots[0]?.pid, before?.pid);
    assert.notEqual(await deployment.converse("and now?"), "");
    assert.deepEqual(await asks(), []);
  });

  test("--always writes nothing where the declaration was changed without being applied", async () => {
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('"ask": [', `$&\n            "${RULE}",`));
    await deployment.ok(["up"]);
    deployment.standIns.telegram.sendAsUser("once more");
    const ask = await nextAsk();
    const asking = readFileSync(file, "utf8");
    const changed = asking.replace('"bots": {', '"telemetry": { "metricsPort": 9464 },\n  $&');
    writeFileSync(file, changed);
    assertFailed(
      await deployment.run(["approve", ask.id, "--always"]),
      1,
      /the declaration was changed since it was applied/,
    );
    assert.equal(readFileSync(file, "utf8"), changed);
    writeFileSync(file, asking);
  });

  test("seawall deny refuses the call", async () => {
    const ask = await nextAsk();
    assert.match(await deployment.ok(["deny", ask.id]), /^refused: a: POST/);
    const { stdout } = await deployment.run(["audit", "query", "--json"]);
    assert.ok(!(await asks()).some(({ id }) => id === ask.id), stdout);
    const record = readFileSync(join(deployment.state, "audit", "audit.jsonl"), "utf8");
    assert.match(record, /"code":"not-approved"/);
  });
}
