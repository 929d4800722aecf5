/** Kinds of datasources: their fields, in the wire contract's names. */

import type { components } from '../api/contract';

export type Purpose = components['schemas']['DatasourcePurpose'];
export type Light = 'canList' | 'canRead' | 'canWrite' | 'canOverwrite';
export type Values = Record<string, string>;

export interface FieldSpec {
  name: string;
  isSecret?: boolean;
  isOptional?: boolean;
  isLong?: boolean;
  choices?: readonly string[];
  hint?: string;
  example?: string;
  pattern?: string;
}

const REGIONS: components['schemas']['S3Region'][] = [
  'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'sa-east-1', 'eu-central-1',
  'eu-central-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1', 'eu-south-1', 'eu-south-2',
  'me-south-1', 'me-central-1', 'af-south-1', 'ap-east-1', 'ap-south-1', 'ap-south-2',
  'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-southeast-1', 'ap-southeast-2',
  'ap-southeast-3', 'ap-southeast-4', 'cn-northwest-1', 'us-gov-east', 'us-gov-west',
]; // prettier-ignore

const KMS: FieldSpec = {
  name: 's3ServerSideEncryptionKMSKey',
  isOptional: true,
  pattern: 'arn:aws:kms:[a-zA-Z0-9\\-]*:[0-9]{12}:key.+',
  example: 'arn:aws:kms:eu-central-1:123456789012:key/…',
};
const S3_PATH: FieldSpec = { name: 'fullPath', example: 's3://bucket/folder', pattern: 's3://.+' };
const REGION: FieldSpec = { name: 's3Region', choices: REGIONS };

export const SOURCE_TYPES: Record<string, FieldSpec[]> = {
  LOCAL: [
    {
      name: 'fullPath',
      isOptional: true,
      example: 'street-scenes',
      hint: 'Below --input-mount and --lightly-mount of the server or worker; empty for all of it.',
    },
    {
      name: 'webServerLocation',
      isOptional: true,
      example: 'http://localhost:3456',
      pattern: 'https?://.+',
      hint: 'Only if browsers get images from lightly-serve; else from this server.',
    },
  ],
  S3: [
    S3_PATH,
    REGION,
    { name: 's3AccessKeyId', isSecret: true },
    { name: 's3SecretAccessKey', isSecret: true },
    KMS,
  ],
  S3DelegatedAccess: [
    S3_PATH,
    REGION,
    {
      name: 's3ARN',
      isSecret: true,
      pattern: 'arn:aws:iam::[0-9]{12}:role.+',
      example: 'arn:aws:iam::123456789012:role/…',
    },
    {
      name: 's3ExternalId',
      isSecret: true,
      pattern: '[a-zA-Z0-9_+=,.@:\\/\\-]{10,}',
      hint: 'At least 10 characters, the same as in the trust policy of the role.',
    },
    KMS,
  ],
  GCS: [
    { name: 'fullPath', example: 'gs://bucket/folder', pattern: 'gs://.+' },
    { name: 'gcsProjectId' },
    { name: 'gcsCredentials', isSecret: true, isLong: true },
  ],
  AZURE: [
    { name: 'fullPath', example: 'container/folder' },
    { name: 'accountName', isSecret: true },
    { name: 'accountKey', isSecret: true },
  ],
  OBS: [
    { name: 'fullPath', example: 'obs://bucket/folder', pattern: 'obs://.+' },
    {
      name: 'obsEndpoint',
      isSecret: true,
      example: 'https://obs.eu-de.otc.t-systems.com',
      pattern: 'https?://.+',
    },
    { name: 'obsAccessKeyId', isSecret: true },
    { name: 'obsSecretAccessKey', isSecret: true },
  ],
};

/** What is sent for a form; fields of other kinds and empty ones are left out. */
export function makeBody(type: string, purpose: Purpose, values: Values): Record<string, string> {
  const body: Record<string, string> = { type, purpose, fullPath: values.fullPath ?? '' };
  for (const { name } of SOURCE_TYPES[type] ?? []) if (values[name]) body[name] = values[name];
  if (values.thumbSuffix) body.thumbSuffix = values.thumbSuffix;
  return body;
}

const REMEDIES: [RegExp, string][] = [
  [
    /mount/i,
    'Start the server (or the worker) with --input-mount and --lightly-mount, and give the path below them.',
  ],
  [/no datasource|not configured/i, 'Set up this side, too: without it results have no place.'],
  [/egress|private|loopback|link-local/i, 'Allow this network: LIGHTLY_SERVER_EGRESS_ALLOW.'],
  [/region/i, 'Choose the region that the bucket lies in.'],
  [/role|assume|external/i, 'Check the trust policy of the role: this server and the external id must be in it.'],
  [/signature|secret|key|credential|token/i, 'Give the keys anew; they may be wrong, or revoked.'],
  [/denied|forbidden|403|permission/i, 'Give these keys the right to do that in the policy of the bucket.'],
  [/no such bucket|not found|404|does not exist|no such/i, 'Check the path: bucket, container or folder must exist.'],
  [/timed? ?out|connect|resolve|reach/i, 'See whether the server reaches this place: address, network, firewall.'],
]; // prettier-ignore

/** What helps against what a place has answered. */
export function findRemedy(error: string): string {
  return (
    REMEDIES.find(([pattern]) => pattern.test(error))?.[1] ??
    'Check path and credentials, save, and try again.'
  );
}
