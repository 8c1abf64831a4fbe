import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import { describeRefusal, type RefusalCode } from "../Refusal.ts";
import { formatRule } from "../rules/formatRule.ts";
import { matchRule } from "../rules/matchRule.ts";

/** What an agent is told of a call that was not made. */
export interface ExplainedRefusal {
  readonly code: string;
  readonly message: string;
  /** The rule that refused it or, where none allows it, all that would. */
  readonly rule?: string;
}

/** More rules than these are counted and not listed. */
const MOST_RULES = 12;

/** Says which rule of the grant a refused call met. */
export function explainRefusal(
  code: string,
  { grant, host }: Granted & { readonly grant: InjectBrokerGrant },
  call: { readonly method: string; readonly target: string },
): ExplainedRefusal {
  const message = isCode(code) ? describeRefusal(code).message : "the call was refused";
  const mark = call.target.indexOf("?");
  const head = {
    method: call.method,
    path: mark < 0 ? call.target : call.target.slice(0, mark),
    query: mark < 0 ? "" : call.target.slice(mark),
    host: host.name,
  };
  if (code === "not-allowed") {
    const rules = [...grant.rules, ...(grant.ask ?? [])].map(formatRule);
    const more = rules.length > MOST_RULES ? ` and ${rules.length - MOST_RULES} more` : "";
    return { code, message, rule: `none of ${rules.slice(0, MOST_RULES).join(", ")}${more}` };
  }
  const list = code === "denied" ? grant.deny : code === "not-approved" ? grant.ask : undefined;
  const rules = list?.filter((rule) => matchRule(rule, head, "forbid")).map(formatRule) ?? [];
  return rules.length === 0 ? { code, message } : { code, message, rule: rules.join(", ") };
}

function isCode(code: string): code is RefusalCode {
  try {
    return describeRefusal(code as RefusalCode).message !== "";
  } catch {
    return false;
  }
}
