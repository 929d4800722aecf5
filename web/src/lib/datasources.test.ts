import { describe, expect, it } from 'vitest';
import { findRemedy, makeBody, SOURCE_TYPES } from './datasources';

describe('datasources', () => {
  it('send only what belongs to their kind', () => {
    const values = { fullPath: 's3://b/x', s3Region: 'eu-west-1', accountKey: 'k', s3ARN: '' };

    expect(makeBody('S3', 'INPUT', values)).toEqual({
      type: 'S3',
      purpose: 'INPUT',
      fullPath: 's3://b/x',
      s3Region: 'eu-west-1',
    });
  });

  it('have secrets where the contract has them', () => {
    const secret = Object.values(SOURCE_TYPES)
      .flat()
      .filter((field) => field.isSecret)
      .map((field) => field.name);

    expect(secret.sort()).toEqual([
      'accountKey',
      'accountName',
      'gcsCredentials',
      'obsAccessKeyId',
      'obsEndpoint',
      'obsSecretAccessKey',
      's3ARN',
      's3AccessKeyId',
      's3ExternalId',
      's3SecretAccessKey',
    ]);
  });

  it.each([
    ['AccessDenied: 403', 'policy'],
    ['No mount is configured', '--input-mount'],
    ['odd', 'try again'],
  ])('say what helps against %s', (error, words) => {
    expect(findRemedy(error)).toContain(words);
  });
});
