import type { ServiceEntry } from "./ServiceEntry.ts";

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html; with `url` also
 * what speaks its API elsewhere (MinIO, R2, Ceph). Which buckets, the grant has to say:
 * `{ s3: "reports", access: "read" }`.
 */
export const awsS3: ServiceEntry = {
  name: "aws-s3",
  title: "Amazon S3, and what speaks its API",
  hosts: ["https://s3.{region}.amazonaws.com"],
  ownHost: true,
  credential: [{ sigv4: "s3" }],
  phantom: "AKIA{base32:20}",
  variable: "AWS_ACCESS_KEY_ID",
  allow: [],
};
