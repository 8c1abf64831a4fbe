import assert from "node:assert/strict";
import { catalogue, commandOf, type ServiceEntry } from "../../catalogue/index.ts";
import { checkShape } from "../../declaration/index.ts";
import { derivePhantom, makePlan, type GrantPlan } from "../../plan/index.ts";
import type { BrokerDial, BrokerGrant, BrokerMint } from "../BrokerConfig.ts";

const KEY = Buffer.alloc(32, 9);

/**
 * What the broker is told of bots that a declaration describes by the catalogue's own services, as the
 * supervisor makes it; every grant and mint dials `dial` in place of the real host.
 */
export function catalogueBots(
  declared: {
    readonly secrets?: Readonly<Record<string, object>>;
    readonly services?: Readonly<Record<string, object>>;
    readonly bots: Readonly<Record<string, Readonly<Record<string, object>>>>;
  },
  dial: BrokerDial | ((grant: string) => BrokerDial | undefined),
  services: ReadonlyMap<string, ServiceEntry> = catalogue,
): { readonly grants: ReadonlyMap<string, readonly BrokerGrant[]>; readonly minted: BrokerMint[] } {
  const { declaration, faults: shape } = checkShape({
    seawall: 1,
    secrets: { model: { vault: "model" }, ...declared.secrets },
    ...(declared.services === undefined ? {} : { services: declared.services }),
    bots: Object.fromEntries(
      Object.entries(declared.bots).map(([name, grants], index) => [
        name,
        {
          openclaw: "2026.9.6",
          model: "anthropic/claude-sonnet-4-6",
          port: 18789 + index,
          grants: { anthropic: { secret: "model" }, ...grants },
          // All that there are: of these, the granted ones exist.
          exec: {
            allow: [
              ...[...services.values()]
                .filter((entry) => entry.name in grants)
                .flatMap((entry) => commandOf(entry)?.name ?? []),
              ...Object.keys(declared.services ?? {}).map((each) => `${each}-api`),
            ],
          },
        },
      ]),
    ),
  });
  assert.deepEqual(shape, []);
  assert.ok(declaration);
  const { plan, faults } = makePlan(declaration, { catalogue: services, versions: ["2026.9.6"] });
  assert.deepEqual(faults, []);
  assert.ok(plan);
  const dialOf = typeof dial === "function" ? dial : () => dial;
  const grantOf = (bot: string, grant: GrantPlan): BrokerGrant => {
    const { dial: _declared, ...rest } = grant;
    const where = dialOf(grant.name);
    const dialled = where === undefined ? {} : { dial: where };
    return rest.kind === "inject"
      ? {
          ...rest,
          ...dialled,
          phantom: derivePhantom(rest.phantom, KEY, { bot, grant: rest.name }),
        }
      : { ...rest, ...dialled };
  };
  return {
    grants: new Map(
      plan.bots.map((bot) => [
        bot.name,
        bot.grants
          .filter(({ name }) => name !== "anthropic")
          .map((grant) => grantOf(bot.name, grant)),
      ]),
    ),
    minted: (plan.minted ?? []).map(({ dial: _declared, ...rest }) => {
      const where = dialOf(rest.name);
      return { ...rest, ...(where === undefined ? {} : { dial: where }) };
    }),
  };
}
