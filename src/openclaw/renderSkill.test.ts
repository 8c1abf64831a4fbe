import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { latestPin, readPin } from "./index.ts";
import type { CommandPlan, GrantPlan } from "../plan/index.ts";
import { renderConfig } from "./renderConfig.ts";
import { renderSkill } from "./renderSkill.ts";
import { botPlan, TEST_INSIDE } from "./testing/testBot.ts";

const PIN = readPin(latestPin());

function command(name: string): CommandPlan {
  const input = [{ name: "to", type: "string", required: true, about: "the bot's name" } as const];
  const does = { kind: "handled", handler: name } as const;
  return {
    name,
    about: `what ${name} is for`,
    raw: false,
    operations: [{ name: "send", about: "send a text", input, does }],
  };
}

function grant(name: string): GrantPlan {
  const service = name;
  return { kind: "program", name, service, hosts: [], command: command(name), options: {} };
}

test("renderSkill() tells of the commands that a bot was granted, and of no others", () => {
  equal(renderSkill(botPlan({})), undefined);
  const skill = renderSkill(botPlan({ grants: [grant("bridge")] })) ?? "";
  match(skill, /^---\nname: seawall-commands\ndescription: ".*bridge \(what bridge is for\)/);
  match(skill, /bridge send to=…/);
  match(skill, /to {2}the bot's name \(string, required\)/);
  doesNotMatch(skill, /google-api/);
});

test("renderConfig() lets the agent run client commands, and shows OpenClaw their skill", () => {
  const rendered = renderConfig(botPlan({ grants: [grant("bridge")] }), TEST_INSIDE, PIN);
  const config = JSON.parse(rendered.config) as {
    skills: unknown;
    tools: { alsoAllow: string[]; exec: { mode: string } };
  };
  deepEqual(config.skills, { load: { extraDirs: ["/etc/openclaw/skills"] } });
  equal(config.tools.exec.mode, "allowlist");
  deepEqual(config.tools.alsoAllow, ["exec", "process", "read"]);
  match(rendered.approvals ?? "", /"pattern": "\/usr\/bin\/bridge"/);
  ok(rendered.files.some(({ to }) => to === "/etc/openclaw/skills/seawall-commands/SKILL.md"));
  const none = renderConfig(botPlan({}), TEST_INSIDE, PIN);
  doesNotMatch(none.config, /skills/);
  equal(none.approvals, undefined);
});
