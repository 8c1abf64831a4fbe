import type { SecretValue } from "../../secrets/index.ts";
import type { Audit } from "../audit/Audit.ts";
import { BrokerError } from "../BrokerError.ts";
import type { BrokerMint } from "../BrokerConfig.ts";
import type { Deployment } from "../Deployment.ts";
import type { Resolve } from "../dial/Destination.ts";
import type { FromBroker } from "../protocol.ts";
import { askEndpoint } from "./askEndpoint.ts";
import { composeTokenRequest, type Composed, type Material } from "./composeTokenRequest.ts";
import { materialNames } from "./materialNames.ts";
import { MintError } from "./MintError.ts";
import { describeMintFailure, readMintReply } from "./readMintReply.ts";
import { systemClock, TokenLife, type Clock } from "./TokenLife.ts";
import { Rotations } from "./Rotations.ts";

/** A token, and all that a reply must not carry to the bot. */
export interface MintedCredential {
  readonly secret: SecretValue;
  /** The tokens before it, which may still be good, and what was sent to the token endpoint. */
  readonly others: readonly SecretValue[];
}

/** Whose call needs a token; it stands in the record. */
export interface MintCause {
  readonly bot: string;
  readonly grant: string;
}

/** What is in force when a token is needed. */
export interface MintContext {
  readonly deployment: Pick<Deployment, "secrets" | "store" | "minted" | "clientCertificates">;
  readonly audit: Audit;
}

export interface MinterParts {
  readonly resolve: Resolve;
  send(message: FromBroker): void;
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

interface State {
  readonly minted: BrokerMint;
  readonly material: Material;
  held?: { readonly token: SecretValue; readonly life: TokenLife };
  /** One for all callers. */
  minting?: Promise<void>;
  /** The tokens before that one, the latest first. */
  previous: readonly SecretValue[];
  /** What was sent to have it made. */
  sent: readonly SecretValue[];
  failures: number;
  /** On the monotonic clock. */
  retryAt: number;
  fault?: MintError;
}

/** Tokens that were given up early may be good still, so replies are searched for the last few. */
const MOST_PREVIOUS = 3;
/** A token as new as this that a service refuses is not refused for its age. */
const FRESH_MS = 60_000;

/**
 * Has tokens made and keeps them, in memory only. Each secret has tokens of its own: they are never
 * shared between two whose endpoint, client, scopes, subject or material differ in anything. While a token
 * is good it is used; in the last part of its life it is renewed beside the calls that use it.
 */
export class Minter {
  readonly #parts: MinterParts;
  readonly #clock: Clock;
  readonly #states = new Map<string, State>();
  readonly #rotations: Rotations;
  readonly #warned = new Set<string>();

  constructor(parts: MinterParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#rotations = new Rotations((message) => {
      parts.send(message);
    });
  }

  /**
   * Whether everything that a secret is made from is there and can serve. Nothing is asked for.
   *
   * @throws SecretError or BrokerError.
   */
  async check(deployment: MintContext["deployment"], minted: BrokerMint): Promise<void> {
    composeTokenRequest(
      minted,
      await readMaterial(deployment, minted),
      undefined,
      this.#clock.wall(),
    );
  }

  /** @throws MintError; SecretError or BrokerError where the material can't be had. */
  async get(context: MintContext, name: string, cause: MintCause): Promise<MintedCredential> {
    const state = await this.#stateOf(context, name);
    if (state.held?.life.isOver() !== false) await this.#mint(context, state, cause);
    else if (state.held.life.isLate() && this.#clock.monotonic() >= state.retryAt)
      this.#mint(context, state, cause).catch(ignore);
    return credentialOf(state);
  }

  /**
   * After a service refused a token: another one, or `undefined` where there is none or the token is so new
   * that another one would be refused as well. The old one is kept until there is a new one, so that nobody
   * can take it from the others by having calls refused.
   */
  async renew(
    context: MintContext,
    name: string,
    cause: MintCause,
    refused: SecretValue,
  ): Promise<MintedCredential | undefined> {
    try {
      const state = await this.#stateOf(context, name);
      if (state.held?.token === refused) {
        if (state.held.life.age() < FRESH_MS) return undefined;
        await this.#mint(context, state, cause);
      }
      return state.held?.token === refused ? undefined : await this.get(context, name, cause);
    } catch {
      return undefined;
    }
  }

  /** Forgets the tokens of secrets that are no more, or not as they were. */
  retain(minted: Iterable<BrokerMint>): void {
    const wanted = new Set([...minted].map((each) => keyOf(each)));
    for (const [key, { minted: gone }] of this.#states) {
      if (wanted.has(key)) continue;
      this.#states.delete(key);
      this.#clear(gone.name);
    }
  }

  async #stateOf(context: MintContext, name: string): Promise<State> {
    const minted = context.deployment.minted.get(name);
    if (minted === undefined)
      throw new BrokerError("config-invalid", `secret "${name}" is not configured`);
    // Read for each call, as any secret is: what was taken out of its store makes no more tokens.
    const material = await readMaterial(context.deployment, minted);
    const key = keyOf(minted);
    const there = this.#states.get(key);
    if (there !== undefined && isSame(there.material, material)) return there;
    const state: State = {
      minted,
      material,
      previous: there === undefined ? [] : tokensOf(there),
      sent: there?.sent ?? [],
      failures: 0,
      retryAt: Number.NEGATIVE_INFINITY,
    };
    this.#states.set(key, state);
    return state;
  }

  async #mint(context: MintContext, state: State, cause: MintCause): Promise<void> {
    if (state.minting === undefined) {
      const wait = state.retryAt - this.#clock.monotonic();
      if (wait > 0 && state.fault !== undefined) throw state.fault.again(wait);
      state.minting = this.#attempt(context, state, cause).finally(() => {
        delete state.minting;
      });
    }
    return state.minting;
  }

  async #attempt(context: MintContext, state: State, cause: MintCause): Promise<void> {
    const { minted } = state;
    const { mint } = minted;
    if (mint.kind !== "oauth2" || mint.refreshToken === undefined) {
      return this.#ask(context, state, cause, () => this.#compose(state, undefined));
    }
    // A refresh token may serve once only, so whoever shares it waits for its turn.
    const { refreshToken: name } = mint;
    const stored = state.material.get(name);
    return this.#rotations.inTurn(name, () =>
      this.#ask(context, state, cause, () =>
        this.#compose(state, this.#rotations.current(name, stored)),
      ),
    );
  }

  #compose(state: State, refreshToken: SecretValue | undefined): Composed {
    return composeTokenRequest(state.minted, state.material, refreshToken, this.#clock.wall());
  }

  /** One question and one record of it. */
  async #ask(
    { deployment, audit }: MintContext,
    state: State,
    cause: MintCause,
    compose: () => Composed,
  ): Promise<void> {
    const { minted } = state;
    const { host, path } = minted.endpoint;
    const { request, sent } = compose();
    const certificate = minted.dial?.clientCertificate;
    const clientCertificate =
      certificate === undefined
        ? undefined
        : await deployment.clientCertificates.get(deployment, certificate);
    const open = audit.begin({
      ...cause,
      kind: "mint",
      secret: minted.name,
      host: `${host.name}:${host.port}`,
      method: "POST",
      path,
    });
    if (open === undefined)
      throw new MintError("audit-unwritable", "what is made can't be recorded");
    let status: number | undefined;
    try {
      const { resolve, timeoutMs } = this.#parts;
      const reply = await askEndpoint(minted, request, {
        resolve,
        timeoutMs,
        ...(clientCertificate === undefined ? {} : { clientCertificate }),
      });
      ({ status } = reply);
      const { token, lifetimeMs, refreshToken } = readMintReply(minted, reply, this.#clock.wall());
      state.previous = tokensOf(state);
      state.sent = [...sent, ...(refreshToken === undefined ? [] : [refreshToken])];
      state.held = { token, life: new TokenLife(lifetimeMs, this.#clock) };
      state.failures = 0;
      state.retryAt = Number.NEGATIVE_INFINITY;
      delete state.fault;
      if (refreshToken !== undefined) this.#rotate(state, refreshToken);
      open.end({ outcome: "done", status });
      this.#clear(minted.name);
    } catch (error) {
      const { fault, waitMs } = describeMintFailure(minted, error, state.failures);
      state.failures += 1;
      state.retryAt = this.#clock.monotonic() + waitMs;
      state.fault = fault;
      open.end({
        outcome: "upstream-error",
        code: fault.code,
        ...(status === undefined ? {} : { status }),
      });
      this.#warn(minted.name, fault);
      throw fault.again(waitMs);
    }
  }

  #rotate({ minted: { mint }, material }: State, next: SecretValue): void {
    if (mint.kind !== "oauth2" || mint.refreshToken === undefined) return;
    this.#rotations.replace(mint.refreshToken, material.get(mint.refreshToken), next);
  }

  #warn(name: string, fault: MintError): void {
    this.#warned.add(name);
    const { message: warning, hint } = fault;
    this.#parts.send({
      type: "health",
      key: `mint:${name}`,
      warning,
      ...(hint === undefined ? {} : { remedy: hint }),
    });
  }

  #clear(name: string): void {
    if (this.#warned.delete(name)) this.#parts.send({ type: "health-clear", key: `mint:${name}` });
  }
}

function credentialOf(state: State): MintedCredential {
  if (state.held === undefined) throw new MintError("mint-failed", "there is no token");
  return { secret: state.held.token, others: [...state.previous, ...state.sent] };
}

function tokensOf({ held, previous }: State): readonly SecretValue[] {
  return (held === undefined ? previous : [held.token, ...previous]).slice(0, MOST_PREVIOUS);
}

async function readMaterial(
  { secrets, store }: MintContext["deployment"],
  { mint }: BrokerMint,
): Promise<Material> {
  const material = new Map<string, SecretValue>();
  for (const name of materialNames(mint)) {
    const source = secrets.get(name);
    if (source === undefined)
      throw new BrokerError("config-invalid", `secret "${name}" is not configured`);
    material.set(name, await store.read(source));
  }
  return material;
}

function isSame(a: Material, b: Material): boolean {
  return [...a].every(([name, value]) => b.get(name)?.revealSecret() === value.revealSecret());
}

function keyOf(minted: BrokerMint): string {
  return JSON.stringify(minted);
}

function ignore(): void {
  // The warning stands; the token that is there serves until it is over.
}
