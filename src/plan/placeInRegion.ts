import type { ServiceEntry } from "../catalogue/index.ts";
import type { DeclaredGrant, Fault, Path } from "../declaration/index.ts";
import { resolveService, type KnownService } from "./resolveServices.ts";

type DeclaredAws = NonNullable<DeclaredGrant["aws"]>;

/**
 * A service of AWS as one grant has it: at the hosts of its region and with its buckets' own, signed for that
 * region and service alone. Services that aren't AWS's come back as they are.
 */
export function placeInRegion(
  service: KnownService,
  declared: DeclaredGrant,
  path: Path,
  faults: Fault[],
): { readonly service: KnownService; readonly declared: DeclaredGrant } {
  const { entry } = service;
  const { aws, url, ...rest } = declared;
  if (entry === undefined) {
    if (aws !== undefined) {
      faults.push({
        code: "no-effect",
        path: [...path, "aws"],
        atKey: true,
        message: `calls to "${service.name}" are not signed for AWS, so "aws" could have no effect`,
        hint: "remove it",
      });
    }
    return { service, declared };
  }
  if (aws === undefined) {
    faults.push({
      code: "missing",
      path,
      atKey: true,
      message: `grant "${service.name}" doesn't say its region`,
      hint: 'add it, as aws: { region: "eu-central-1" }',
    });
    return { service, declared };
  }
  const signedFor = chooseService(entry, aws, path, faults);
  if (signedFor === undefined) return { service, declared };
  if (aws.buckets !== undefined && signedFor !== "s3") {
    faults.push({
      code: "no-effect",
      path: [...path, "aws", "buckets"],
      atKey: true,
      message: `"${signedFor}" has no buckets`,
      hint: "remove them",
    });
  }
  const fill = (text: string): string =>
    text.replaceAll("{region}", aws.region).replaceAll("{service}", signedFor);
  const own = entry.ownHost === true && url !== undefined;
  const origins = own ? [url] : entry.hosts.map((origin) => fill(origin));
  const ofBuckets = origins.flatMap((origin) =>
    [...new Set(aws.buckets)].toSorted().map((bucket) => origin.replace("://", `://${bucket}.`)),
  );
  const placed = resolveService(
    { ...entry, hosts: [...origins, ...ofBuckets], ownHost: false },
    own ? [...path, "url"] : path,
    faults,
  );
  const places = placed.places.map((place) =>
    place.in === "sigv4"
      ? { ...place, service: place.service === "*" ? signedFor : place.service, region: aws.region }
      : place,
  );
  return {
    service: { ...placed, places },
    declared: own || url === undefined ? rest : { ...rest, url },
  };
}

/** The service that is signed for: the entry's, or the grant's where the entry leaves it open. */
function chooseService(
  { name, credential }: ServiceEntry,
  { service }: DeclaredAws,
  path: Path,
  faults: Fault[],
): string | undefined {
  const known = credential.map(({ sigv4 }) => sigv4).find((each) => each !== undefined);
  if (known !== "*") {
    if (service === undefined || service === known) return known;
    faults.push({
      code: "invalid",
      path: [...path, "aws", "service"],
      message: `calls of "${name}" are always for "${known ?? ""}"`,
      hint: `remove it, or grant "aws" for another service`,
    });
    return undefined;
  }
  if (service !== undefined) return service;
  faults.push({
    code: "missing",
    path: [...path, "aws"],
    atKey: true,
    message: `grant "${name}" doesn't say which service of AWS it is for`,
    hint: 'add it, as aws: { region: "eu-central-1", service: "sqs" }',
  });
  return undefined;
}
