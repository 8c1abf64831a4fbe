import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { LogFile } from "../LogFile.ts";
import { ContainerKeeper } from "../supervisor/ContainerKeeper.ts";
import { containerSeccomp } from "./containerSeccomp.ts";
import { findImage, findPodman } from "./findImage.ts";
import { frame, FrameReader } from "./FrameReader.ts";
import { FRAME, LONGEST_COMMAND, MOST_AT_ONCE } from "./messages.ts";
import { lacksContainers, TestContainers, UID } from "./testing/TestContainers.ts";

const PATIENCE_MS = 60_000;
const skip = lacksContainers();

/** Host pids of processes with this word among their arguments. */
function withWord(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/u.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

/** Host pids of an owner's processes. */
function ownedBy(uid: number): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/u.test(name)) return false;
    try {
      return statSync(`/proc/${name}`).uid === uid;
    } catch {
      return false;
    }
  });
}

async function until(good: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    if (await good()) return;
    await setTimeout(50);
  }
  throw new Error(`this did not come to be: ${what}`);
}

/** One that nobody else's `sleep` has. */
const seconds = (): string => String(randomInt(100_000, 999_999));

describe("a bot's agents have containers", { skip }, () => {
  let at: TestContainers;
  before(async () => {
    at = await TestContainers.make();
    await at.keeper.start();
  });
  after(() => at[Symbol.asyncDispose]());

  test("a command runs in its workspace, with its input, status and both outputs, and what it makes is the bot's", async () => {
    const script = "pwd; cat; echo wrong >&2; echo made > new.md; exit 7";
    assert.deepEqual(await at.run(script, { input: "given" }).ended, {
      code: 7,
      out: "/home/bot/agents/ops\ngiven",
      errors: "wrong\n",
    });
    const made = statSync(join(at.home, "agents/ops/new.md"));
    assert.deepEqual([made.uid, made.gid], [UID, UID]);
    const large = Buffer.alloc(200_000, "x");
    assert.equal((await at.run("wc -c", { input: large }).ended).out.trim(), "200000");
    const much = at.run("yes | head -c 3000000 2>/dev/null || yes", { input: "" });
    await much.said("y\ny\n");
    much.socket.destroy();
    // Of what is no shell's own end: 128 and the signal.
    assert.equal((await at.run("kill -9 $$; sleep 1", { input: "" }).ended).out, "");
  });

  test("what was taken over in a container finds no network, right, process, folder or file of anyone", async () => {
    const server = createServer((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nreached"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    // The controls: what is tried can be had outside.
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "reached");
    writeFileSync(join(at.home, "state", "kept.md"), "the bot's");
    const script = `
      tries() { echo "$1: $(eval "$2" 2>&1)"; }
      tries network "wget -q -O - http://127.0.0.1:${port}/"
      tries outside "cat /proc/net/dev /proc/net/route"
      tries agents "ls /home/bot/agents /home/bot /home"
      tries caps "cat /proc/self/status | while read k v; do case \\$k in Cap*|NoNewPrivs:|Seccomp:) echo \\$k \\$v;; esac; done"
      tries users "cat /proc/self/uid_map"
      tries namespace "unshare -U id"
      tries mount "mount -t tmpfs none /tmp"
      tries node "mknod null c 1 3"
      tries image "touch /bin/x"
      tries control "touch /run/seawall/x; ls /run/seawall"
      tries keeper "ls /keeper /live /opt"
      tries processes "cat /proc/[0-9]*/cmdline | tr -d '\\\\0'; ls -d /proc/[0-9]*"
      tries sockets "ls /run /run/podman"
      tries environment "env"
      tries up "cat ../../state/kept.md; cat /proc/1/root/../home/bot/state/kept.md"`;
    const { out } = await at.run(script, { input: "" }).ended;
    server.close();
    const said = (name: string, end: string): string =>
      out.slice(out.indexOf(`${name}: `), out.indexOf(`${end}: `));
    assert.match(said("network", "outside"), /refused|can't connect/u);
    assert.deepEqual(
      said("outside", "agents")
        .match(/\w+(?=:)/gu)
        ?.slice(1),
      ["lo"],
    );
    assert.match(said("outside", "agents"), /Iface[^\n]*\n$/u);
    assert.match(
      said("agents", "caps"),
      /\/home:\nbot\n\n\/home\/bot:\nagents\n\n\/home\/bot\/agents:\nops\n$/u,
    );
    const caps = said("caps", "users");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      assert.match(caps, new RegExp(`${set}: 0+\\b`, "u"));
    assert.match(caps, /NoNewPrivs: 1/u);
    assert.match(caps, /Seccomp: 2/u);
    assert.match(
      said("users", "namespace").trim(),
      new RegExp(`^users:\\s+0\\s+0\\s+1$|^users:\\s+0\\s+${UID}\\s+1$`, "u"),
    );
    assert.match(said("namespace", "mount"), /not implemented|not permitted/u);
    assert.match(said("mount", "node"), /not permitted|denied|not implemented|must be superuser/u);
    assert.match(said("node", "image"), /not permitted/u);
    assert.match(said("image", "control"), /Read-only/u);
    assert.match(said("control", "keeper"), /Read-only.*\nask\nscript/u);
    assert.doesNotMatch(said("keeper", "processes"), /store|agents\.json|seawall\n/u);
    assert.doesNotMatch(said("processes", "sockets"), /conmon|podman|catatonit|main\.ts/u);
    assert.doesNotMatch(said("sockets", "environment"), /\.sock/u);
    assert.doesNotMatch(said("environment", "up"), /CONTAINERS_|XDG_|NODE_/u);
    assert.doesNotMatch(out.slice(out.indexOf("up: ")), /the bot's/u);
  });

  test("a bot has containers for its own agents that Seawall gave them to, and names nothing else", async () => {
    for (const agent of [
      "plain",
      "none",
      "",
      "../state",
      "ops/../plain",
      "ops/",
      "__proto__",
      "OPS",
      "-v",
      "ops\n",
      "trial",
      ".",
    ])
      assert.match((await at.run("echo x", { agent }).ended).refused ?? "", /no agent/u, agent);
    // What looks like options of Podman's, or ends a quotation, is a shell's business in the container.
    for (const script of ["--privileged", "-v /:/host", "'; podman run x; '", '" --network=host'])
      assert.notEqual((await at.run(script, { input: "" }).ended).code, 0, script);
    assert.equal((await at.run("echo still", { input: "" }).ended).out, "still\n");
  });

  test("who doesn't keep to what can be said is cut off, and nobody else is", async () => {
    const command = frame(FRAME.command, JSON.stringify({ agent: "ops", script: "sleep 5" }));
    const head = Buffer.from([FRAME.command, 0xff, 0xff, 0xff, 0xff]);
    const long = Buffer.alloc(5);
    long.writeUInt8(FRAME.command, 0);
    long.writeUInt32BE(LONGEST_COMMAND + 1, 1);
    const bad = [
      head,
      long,
      Buffer.from([99, 0, 0, 0, 0]),
      Buffer.from([FRAME.output, 0, 0, 0, 0]),
      frame(FRAME.input, "before its command"),
      frame(FRAME.command, "no JSON"),
      frame(FRAME.command, "null"),
      frame(FRAME.command, '{"agent":"ops"}'),
      frame(FRAME.command, '{"agent":["ops"],"script":"x"}'),
      frame(FRAME.command, JSON.stringify({ agent: "ops", script: "a\0b" })),
      Buffer.concat([command, command]),
      Buffer.concat([command, frame(FRAME.input), frame(FRAME.input, "after its end")]),
    ];
    for (const bytes of bad) {
      const socket = at.connect();
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(bytes);
      await once(socket, "close");
    }
    assert.equal((await at.run("echo still", { input: "" }).ended).out, "still\n");
  });

  test("no more than so many are there at once", async () => {
    const sockets = Array.from({ length: MOST_AT_ONCE }, () => at.connect());
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    assert.match((await at.run("echo x").ended).refused ?? "", /are running already/u);
    for (const socket of sockets) socket.destroy();
    await until(
      async () => (await at.run("echo x", { input: "" }).ended).out === "x\n",
      "room again",
    );
  });

  test("a link in the place of a workspace leads nowhere", async () => {
    const agents = join(at.home, "agents");
    renameSync(join(agents, "ops"), join(agents, "gone"));
    symlinkSync("../state", join(agents, "ops"));
    assert.match((await at.run("ls", { input: "" }).ended).refused ?? "", /can't be started/u);
    rmSync(join(agents, "ops"));
    renameSync(join(agents, "gone"), join(agents, "ops"));
    renameSync(agents, join(at.home, "others"));
    symlinkSync("others", agents);
    assert.match((await at.run("ls", { input: "" }).ended).refused ?? "", /can't be started/u);
    rmSync(agents);
    renameSync(join(at.home, "others"), agents);
    assert.equal((await at.run("echo well", { input: "" }).ended).out, "well\n");
  });

  test("a command ends with whoever asked for it, and with its agent", async () => {
    const sleeps = seconds();
    const one = at.run(`echo up; sleep ${sleeps}`, { input: "" });
    await one.said("up");
    assert.notDeepEqual(withWord(sleeps), []);
    one.socket.destroy();
    await until(() => withWord(sleeps).length === 0, "the end of what nobody waits for");
    const two = at.run(`echo up; sleep ${sleeps}`, { input: "" });
    await two.said("up");
    at.setAgents({ plain: "seawall" });
    assert.match((await two.ended).refused ?? "", /given up/u);
    await until(() => withWord(sleeps).length === 0, "the end of a deleted agent's command");
    at.setAgents({ ops: "seawall-podman", plain: "seawall" });
  });

  test("a keeper that is killed takes everything with it, and another one comes", async () => {
    const sleeps = seconds();
    const running = at.run(`echo up; sleep ${sleeps}`, { input: "" });
    await running.said("up");
    const { pid } = at.keeper;
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    await running.ended;
    await until(() => withWord(sleeps).length === 0, "the end of its containers");
    await until(
      async () => (await at.run("echo anew", { input: "" }).ended).out === "anew\n",
      "another keeper",
    );
  });

  test("a workspace that is swapped after it was looked at isn't worked in", async () => {
    await at.keeper.stop();
    const { folder } = at.launch;
    const wrapper = join(folder, "keeper", "swapping");
    // Between the look and the mount: at the moment at which Podman is started.
    const swap =
      "mv /home/bot/agents/ops /home/bot/agents/gone; ln -s ../state /home/bot/agents/ops";
    writeFileSync(
      wrapper,
      `#!/bin/sh\ncase " $* " in *" --name=seawall-"*"agents/ops"*) ${swap};; esac\nexec ${findPodman()} "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
    const setup = { ...at.launch.setup, podman: "/keeper/swapping" };
    const log = new LogFile(join(at.folder, "swapping.log"));
    const keeper = new ContainerKeeper({ ...at.launch, setup }, log);
    try {
      await keeper.start();
      const { refused, out } = await at.run("ls; echo planted > planted.md", { input: "" }).ended;
      assert.match(refused ?? "", /something else was put in the place/u);
      assert.equal(out, "");
      assert.equal(existsSync(join(at.home, "state", "planted.md")), false);
      // The control: it was swapped.
      assert.ok(existsSync(join(at.home, "agents", "gone")));
    } finally {
      await keeper.stop();
    }
  });

  test("whoever has taken over the keeper can't put anything in the place of the folders that root names", async () => {
    await at.keeper.stop();
    const { folder } = at.launch;
    const wrapper = join(folder, "keeper", "taken-over");
    writeFileSync(
      wrapper,
      `#!/bin/sh
for place in /socket /keeper /home/bot; do
  mv $place $place.old && echo moved $place
  rmdir $place && echo removed $place
  ln -sfn / $place.new && mv -T $place.new $place && echo linked $place
done >> /keeper/tried 2> /dev/null
echo wrote >> /keeper/tried
exec ${findPodman()} "$@"
`,
    );
    chmodSync(wrapper, 0o755);
    const setup = { ...at.launch.setup, podman: "/keeper/taken-over" };
    const keeper = new ContainerKeeper(
      { ...at.launch, setup },
      new LogFile(join(at.folder, "t.log")),
    );
    try {
      await keeper.start();
    } finally {
      await keeper.stop();
    }
    const tried = readFileSync(join(folder, "keeper", "tried"), "utf8")
      .trim()
      .split("\n");
    assert.deepEqual([...new Set(tried)], ["wrote"]);
    // On the host neither is in a folder of the bot's.
    assert.equal(statSync(folder).uid, process.getuid?.());
    assert.equal(statSync(join(folder, "socket")).uid, UID);
  });

  test("a keeper that is stopped leaves neither process nor socket", async () => {
    const { folder } = at.launch;
    assert.ok(!existsSync(join(folder, "socket", "socket")));
    // Outside of a bot's own uid nothing is to be told apart from the test itself.
    const left = (): string[] =>
      UID === process.getuid?.() ? withWord("/keeper") : [...withWord("/keeper"), ...ownedBy(UID)];
    // bubblewrap ends first, and the kernel ends what was in its namespace.
    await until(() => left().length === 0, "the end of all processes");
  });
});

test("findImage() wants an image that is there, and says how to have it", { skip }, async () => {
  const id = `sha256:${"0".repeat(64)}`;
  await assert.rejects(findImage(findPodman(), id, "a"), { code: "no-image", where: id });
  await assert.rejects(findImage(findPodman(), `docker.io/library/debian@${id}`, "a"), {
    code: "no-image",
    hint: `fetch it, as the user that runs Seawall: podman pull docker.io/library/debian@${id}`,
  });
});

test("containerSeccomp() closes what makes namespaces, and takes no profile that allows what it doesn't name", () => {
  const rule = { names: ["read", "clone", "unshare"], action: "SCMP_ACT_ALLOW", args: [] };
  const given = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [rule, { ...rule, names: ["mount"] }],
  };
  const { syscalls } = JSON.parse(containerSeccomp(JSON.stringify(given))) as {
    syscalls: { names: string[]; args: { value: number; op: string }[] }[];
  };
  assert.deepEqual(
    syscalls.map(({ names }) => names),
    [["read"], ["clone"]],
  );
  assert.equal(syscalls[1]?.args[0]?.op, "SCMP_CMP_MASKED_EQ");
  const open = { ...given, defaultAction: "SCMP_ACT_ALLOW" };
  assert.throws(() => containerSeccomp(JSON.stringify(open)), /isn't known/u);
  assert.throws(() => containerSeccomp('{"defaultAction":"SCMP_ACT_ERRNO"}'), /isn't known/u);
});

test("FrameReader puts frames together however they come", () => {
  const bytes = Buffer.concat([frame(1, "one"), frame(2), frame(1, "three")]);
  for (const size of [1, 2, 7, bytes.length]) {
    const reader = new FrameReader((kind) => (kind === 1 ? 5 : 0));
    const said: string[] = [];
    for (let at = 0; at < bytes.length; at += size)
      for (const { kind, data } of reader.take(bytes.subarray(at, at + size)))
        said.push(`${kind}${data.toString()}`);
    assert.deepEqual(said, ["1one", "2", "1three"]);
  }
  assert.throws(() => new FrameReader(() => 2).take(frame(1, "one")));
});
