/** Something that can be no part of a reply, or that two readers could read differently. */
export class ReplyFault extends Error {}
