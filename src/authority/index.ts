export { AuthorityError, type AuthorityErrorCode } from "./AuthorityError.ts";
export { ensureAuthority, type Authority } from "./ensureAuthority.ts";
export { issueLeaf, type Leaf } from "./issueLeaf.ts";
export { trustBundle } from "./trustBundle.ts";
