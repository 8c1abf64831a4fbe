export {
  FingerprintSearch,
  makeFingerprints,
  SHORTEST_NEEDLE,
  type Fingerprint,
  type FingerprintHit,
  type Fingerprints,
} from "./Fingerprints.ts";
export { RollingSearch, standsAt } from "./RollingSearch.ts";
export { spellValue, type Spelling } from "./spellValue.ts";
