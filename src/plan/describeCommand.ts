import type { CommandPlan, InputPlan, OperationPlan } from "./CommandPlan.ts";

/** What every client command's help ends with. */
const ENDING = `Values may also come as one JSON object, as an argument or, for -, from standard input.
The answer is on standard output, as JSON where the service says JSON; errors are JSON on standard error.
Exit: 0 done, 1 the service answered with an error, 2 asked in a way that can't be, 3 not granted,
5 something outside failed, 70 a fault of Seawall.
`;

/**
 * The help of a client command, written for an agent that sees nothing else.
 *
 * @param allows the rules of its grant, where they decide what may be called.
 */
export function describeCommand(command: CommandPlan, allows: readonly string[]): string {
  const { name, about, operations, raw } = command;
  const width = Math.max(0, ...operations.map((each) => each.name.length));
  const lines = operations.map((each) => `  ${each.name.padEnd(width)}  ${each.about}`);
  return [
    `${name}: ${about}`,
    "",
    `Use: ${name} OPERATION [name=value …] [--input FILE] [--output FILE]`,
    `     ${name} OPERATION --help`,
    ...(raw ? [`     ${name} call METHOD PATH [JSON body]`] : []),
    "",
    ...(lines.length > 0 ? ["Operations:", ...lines, ""] : []),
    ...(raw && allows.length > 0
      ? ["Calls that are allowed:", ...allows.map((rule) => `  ${rule}`), ""]
      : []),
    ENDING,
  ].join("\n");
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
