import { existsSync, mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { writeFileAtomic } from "../../files/index.ts";
import {
  builtInProfiles,
  describeOrigin,
  emptyProfile,
  findBuiltIn,
  findProfile,
  loadProfile,
  ownProfiles,
  PROFILE_NAME,
  profileFolder,
  ProfileError,
  profileText,
  saidBy,
  type LoadedProfile,
  type Profile,
} from "../../profiles/index.ts";
import { prepareRun } from "../../run/index.ts";
import type { Call, Command, ExitStatus } from "../Command.ts";
import { UsageError } from "../UsageError.ts";

export const profile: Command = {
  name: "profile",
  usage: "list | show NAME | validate NAME|FILE | init NAME | diff NAME NAME",
  summary: "profiles of seawall run: list, show, check, begin and compare them",
  help: [
    "list             built-in ones and your own, in ~/.config/seawall/profiles/",
    "show NAME        all it says, what it extends included, each with its place",
    "validate NAME    whether it can be honoured, and what of it this host lacks",
    "init NAME        begins one of your own, with --extends on top of another",
    "diff ONE OTHER   what one says and the other doesn't",
    "",
    "A file of yours wins over a built-in profile of its name. Files in nono's format work as they are.",
  ].join("\n"),
  options: {
    extends: { type: "string", value: "NAME", help: "for init: the profile to build on" },
  },
  words: { least: 1, most: 3 },
  run: async (call) => {
    const [verb, one, other] = call.words;
    if (call.value("extends") !== undefined && verb !== "init")
      throw new UsageError("--extends goes with init only", "type: seawall profile --help");
    if (verb === "list" && one === undefined) return list(call);
    if (verb === "show" && one !== undefined && other === undefined) return show(call, one);
    if (verb === "validate" && one !== undefined && other === undefined) return validate(call, one);
    if (verb === "init" && one !== undefined && other === undefined) return init(call, one);
    if (verb === "diff" && one !== undefined && other !== undefined) return diff(call, one, other);
    throw new UsageError(`usage: seawall profile ${profile.usage}`, "type: seawall profile --help");
  },
};

async function list({ output, json }: Call): Promise<ExitStatus> {
  const folder = profileFolder(process.env);
  const own = ownProfiles(folder);
  const names = [...new Set([...builtInProfiles.keys(), ...own])].toSorted();
  const rows = await Promise.all(
    names.map(async (name) => {
      const kind = own.includes(name) ? "yours" : "built-in";
      try {
        const found = await findProfile(name, folder);
        const hides = kind === "yours" && builtInProfiles.has(name);
        return { name, kind, hides, description: found.description ?? "" };
      } catch {
        return {
          name,
          kind,
          hides: false,
          description: "can't be read; see: seawall profile validate",
        };
      }
    }),
  );
  if (json) output.json({ folder, profiles: rows });
  else
    for (const { name, kind, hides, description } of rows)
      output.line(
        `${name.padEnd(18)}${kind.padEnd(10)}${description}${hides ? " (hides the built-in one)" : ""}`,
      );
  return 0;
}

async function show({ output, json }: Call, name: string): Promise<ExitStatus> {
  const loaded = await loadProfile(name, profileFolder(process.env));
  const hides = hidden(loaded.profile);
  const said = saidBy(loaded.profile);
  if (json) {
    output.json({
      name: loaded.profile.name,
      source: sourceText(loaded.profile),
      hidesBuiltIn: hides,
      chain: loaded.chain.map((each) => ({ name: each.name, source: sourceText(each) })),
      says: said.map(({ key, value, origin }) => ({ key, value, by: describeOrigin(origin) })),
    });
    return 0;
  }
  output.line(`${loaded.profile.name}: ${loaded.profile.description ?? "no description"}`);
  output.line(`  from     ${sourceText(loaded.profile)}`);
  if (hides) output.line(`  hides    the built-in profile "${loaded.profile.name}"`);
  const bases = loaded.chain.filter((each) => each !== loaded.chain.at(-1));
  if (bases.length > 0)
    output.line(
      `  extends  ${bases.map((each) => `${each.name} (${sourceText(each)})`).join(", ")}`,
    );
  for (const { key, value, origin } of said) {
    const base =
      origin.kind === "profile" && origin.profile !== loaded.profile.name
        ? `  (${origin.profile})`
        : "";
    output.line(`  ${key.padEnd(26)}${value}${base}`);
  }
  return 0;
}

async function validate({ output, json, paths }: Call, name: string): Promise<ExitStatus> {
  const loaded = await loadProfile(name, profileFolder(process.env));
  const prepared = await prepareRun(
    {
      profile: name,
      flags: emptyProfile("command line"),
      command: ["true"],
      workdir: resolve("."),
    },
    {
      env: process.env,
      make: false,
      terminal: false,
      own: { state: paths.root, store: paths.store },
    },
  );
  const { planNetwork } = await import("../../host/index.ts");
  await planNetwork(prepared.policy, process.env);
  const missing = prepared.layout.missing.map(({ what, origin }) => ({
    what,
    by: describeOrigin(origin),
  }));
  if (json)
    output.json({
      ok: true,
      name: loaded.profile.name,
      source: sourceText(loaded.profile),
      missing,
    });
  else {
    output.line(`${loaded.profile.name}: right (${sourceText(loaded.profile)})`);
    for (const { what, by } of missing) output.line(`  not on this host: ${what}  (${by})`);
  }
  return 0;
}

async function init(call: Call, name: string): Promise<ExitStatus> {
  if (!PROFILE_NAME.test(name)) {
    throw new ProfileError("profile-name", `"${name.slice(0, 64)}" can't be a profile's name`, {
      hint: "use letters, digits, - and _",
    });
  }
  const folder = profileFolder(process.env);
  const base = call.value("extends");
  // Its own name means the built-in one there.
  if (base !== undefined && !(base === name && findBuiltIn(name) !== undefined))
    await loadProfile(base, folder);
  const file = join(folder, `${name}.json`);
  if (ownProfiles(folder).includes(name) || existsSync(file)) {
    throw new ProfileError("profile-exists", `profile "${name}" is there already`, {
      where: file,
      hint: "choose another name, or remove it first",
    });
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const flags = emptyProfile("command line");
  const text = profileText(name, {
    ...(base === undefined ? {} : { profile: base }),
    flags: { ...flags, workdir: { value: "read", origin: { kind: "flag", flag: "init" } } },
    workdir: resolve("."),
  });
  writeFileAtomic(file, text, 0o600);
  if (call.json) call.output.json({ ok: true, name, file });
  else call.output.line(`wrote ${relative(process.cwd(), file)}`);
  return 0;
}

async function diff({ output, json }: Call, one: string, other: string): Promise<ExitStatus> {
  const folder = profileFolder(process.env);
  const lines = ({ profile }: LoadedProfile): string[] =>
    saidBy(profile).map(({ key, value }) => `${key} ${value}`);
  const left = lines(await loadProfile(one, folder));
  const right = lines(await loadProfile(other, folder));
  const onlyLeft = left.filter((line) => !right.includes(line));
  const onlyRight = right.filter((line) => !left.includes(line));
  if (json)
    output.json({
      same: onlyLeft.length + onlyRight.length === 0,
      [one]: onlyLeft,
      [other]: onlyRight,
    });
  else {
    for (const line of onlyLeft) output.line(`- ${line}`);
    for (const line of onlyRight) output.line(`+ ${line}`);
  }
  return onlyLeft.length + onlyRight.length === 0 ? 0 : 1;
}

function hidden({ name, source }: Profile): boolean {
  return source.kind === "file" && builtInProfiles.has(name);
}

function sourceText({ source }: Profile): string {
  return source.kind === "file" ? source.file : "built-in";
}
