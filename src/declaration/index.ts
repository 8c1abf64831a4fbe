export { closest } from "./closest.ts";
export {
  declarationSchema,
  type Declaration,
  type DeclaredAgents,
  type DeclaredBot,
  type DeclaredChat,
} from "./Declaration.ts";
export type { DeclaredDial, DeclaredGrant, DeclaredLimits } from "./grantSchema.ts";
export type { DeclaredOauth2 } from "./mintSchema.ts";
export type { DeclaredSecret } from "./secretSchema.ts";
export type { DeclaredRule } from "./ruleSchema.ts";
export type { DeclaredCredential, DeclaredMessage, DeclaredService } from "./serviceSchema.ts";
export { isHostName, readBytes } from "./words.ts";
export { DeclarationError, locateFaults, type LocatedFault } from "./DeclarationError.ts";
export type { Fault, FaultCode, Path } from "./Fault.ts";
export { readDeclaration, type Position, type Positions } from "./readDeclaration.ts";
export { editDeclaration, type Edit } from "./editDeclaration.ts";
export { checkShape } from "./checkShape.ts";
export { writeJson5, writeKey } from "./writeJson5.ts";
export { jsonSchema } from "./jsonSchema.ts";
