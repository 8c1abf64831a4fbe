/** The words of client commands that make any call which the rules allow, and the method each stands for. */
export const RAW_VERBS: ReadonlyMap<string, string> = new Map(
  ["get", "post", "put", "patch", "delete"].map((verb) => [verb, verb.toUpperCase()]),
);
