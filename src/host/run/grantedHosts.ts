import type { Policy } from "../../profiles/index.ts";
import type { GrantedHosts } from "../../run/index.ts";
import { planNetwork } from "./planNetwork.ts";

/** The hosts that a policy's credentials lead to, each with the entry that grants it. */
export async function grantedHosts(
  policy: Policy,
  env: Readonly<Record<string, string | undefined>>,
): Promise<GrantedHosts> {
  const { network, environmentCredentials } = policy;
  const asked = network.credentials.length + environmentCredentials.length;
  if (network.block?.value === true || asked === 0) return [];
  const { plan } = await planNetwork(policy, env);
  const [first] = [...network.credentials, ...environmentCredentials];
  return plan.grants.flatMap((grant) => {
    if (grant.kind !== "inject" || first === undefined) return [];
    const entry =
      network.credentials.find(({ value }) => value === grant.service) ??
      environmentCredentials.find(({ value }) => value.secret === grant.secret) ??
      network.credentials.find(({ value }) => value === grant.secret) ??
      first;
    return grant.hosts.map(({ name, port }) => ({
      name,
      port,
      how: `called with the secret "${grant.secret}", as its rules allow`,
      origin: entry.origin,
    }));
  });
}
