import type { CommandPlan, HeaderPlan, InputPlan, OperationPlan } from "./CommandPlan.ts";

/** How values are given, where there are operations. */
const VALUES = `Values may also come as one JSON object, as an argument or, for -, from standard input.
`;

/** What every client command's help ends with. */
const ENDING = `The answer is on standard output, as JSON where the service says JSON; errors are JSON on standard error.
Exit: 0 done, 1 the service answered with an error, 2 asked in a way that can't be, 3 not granted,
5 something outside failed, 70 a fault of Seawall.
`;

/**
 * The help of a client command, written for an agent that sees nothing else.
 *
 * @param allows the rules of its grant, where they decide what may be called.
 * @param origins the hosts of its grant, of which a path alone means the first.
 */
export function describeCommand(
  command: CommandPlan,
  allows: readonly string[],
  origins: readonly string[],
): string {
  const { name, about, operations, raw, headers = [] } = command;
  const width = Math.max(0, ...operations.map((each) => each.name.length));
  const lines = operations.map((each) => `  ${each.name.padEnd(width)}  ${each.about}`);
  const uses = [
    ...(operations.length === 0
      ? []
      : [
          `${name} OPERATION [name=value …] [--input FILE] [--output FILE]`,
          `${name} OPERATION --help`,
        ]),
    ...(raw
      ? [
          `${name} get|delete PATH [name=value …] [--output FILE]`,
          `${name} post|put|patch|delete PATH [name=value …] [JSON body | - | --input FILE]`,
          `${name} call METHOD PATH [name=value …] [JSON body | - | --input FILE]`,
        ]
      : []),
  ];
  return [
    `${name}: ${about}`,
    "",
    ...uses.map((use, at) => `${at === 0 ? "Use: " : "     "}${use}`),
    "",
    ...(raw ? [...pathLines(allows, origins), ""] : []),
    ...(lines.length > 0 ? ["Operations:", ...lines, ""] : []),
    ...(headers.length > 0 ? [...headerLines(headers), ""] : []),
    ...(raw && allows.length > 0
      ? ["Calls that are allowed:", ...allows.map((rule) => `  ${rule}`), ""]
      : []),
    `${operations.length > 0 ? VALUES : ""}${ENDING}`,
  ].join("\n");
}

function headerLines(headers: readonly HeaderPlan[]): string[] {
  const width = Math.max(...headers.map(({ name }) => name.length));
  return [
    `Headers that may be given, each as --header 'NAME: VALUE':`,
    ...headers.map(({ name, about = "", usual }) =>
      `  ${name.padEnd(width)}  ${[about, ...(usual === undefined ? [] : [`(${usual} unless given)`])].join(" ").trim()}`.trimEnd(),
    ),
  ];
}

/** What an agent has to know to write a path. */
function pathLines(allows: readonly string[], origins: readonly string[]): string[] {
  const [first = "", ...others] = origins;
  return [
    "PATH is /path or /path?query. Each name=value is added to the query, encoded. No key is needed: it is added outside.",
    "In the rules * stands for one segment of the path and ** for any number. The body is JSON, for - from standard input.",
    ...(others.length === 0
      ? []
      : [`A path alone is one of ${first}. Write the whole URL for ${others.join(", ")}.`]),
    ...(allows.some((rule) => rule.includes("{secret}"))
      ? ["Write {secret} in the path where the rules have it."]
      : []),
  ];
}

/** The help of one of its operations. */
export function describeOperation(command: CommandPlan, operation: OperationPlan): string {
  const { input, does, takesBody } = operation;
  const width = Math.max(0, ...input.map((each) => each.name.length));
  const file = does.kind === "http" && does.answer === "file";
  const use = [
    `${command.name} ${operation.name}`,
    ...input.map((each) => (each.required ? `${each.name}=…` : `[${each.name}=…]`)),
    ...(takesBody === true ? ["--input FILE"] : []),
    ...(file ? ["--output FILE"] : []),
  ];
  return [
    `${command.name} ${operation.name}: ${operation.about}`,
    "",
    `Use: ${use.join(" ")}`,
    "",
    ...(input.length > 0
      ? [
          "Input:",
          ...input.map((each) => `  ${each.name.padEnd(width)}  ${describeInput(each)}`),
          "",
        ]
      : []),
    ...(does.kind === "http" ? [`Calls: ${does.method} ${does.path}`, ""] : []),
  ].join("\n");
}

function describeInput({ type, required, about, min, max, oneOf }: InputPlan): string {
  const unit = type === "string" ? " characters" : "";
  const bounds = [
    type,
    ...(required ? ["required"] : []),
    ...(oneOf === undefined ? [] : [`one of ${oneOf.join(", ")}`]),
    ...(min === undefined ? [] : [`at least ${min}${unit}`]),
    ...(max === undefined ? [] : [`at most ${max}${unit}`]),
  ];
  return `${about} (${bounds.join(", ")})`;
}
