import { z } from 'zod';

export const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,63}$/,
    'a name: lower-case letters, digits and _, beginning with a letter, at most 64 characters',
  );

export const expression = z.string().min(1).max(2_000);

export const numberOrExpression = z.union([z.number(), expression]);

export const description = z.string().describe('For people; nothing reads it.').optional();
