/** What a text can look like. The personal ones are only hints: a person has to decide. */
export type Look =
  | 'e-mail address'
  | 'phone number'
  | 'IP address'
  | 'card number'
  | 'IBAN'
  | 'number'
  | 'date'
  | 'boolean';

export const personalLooks: ReadonlySet<Look> = new Set([
  'e-mail address',
  'phone number',
  'IP address',
  'card number',
  'IBAN',
]);

/** Longer text is prose. */
const longest = 64;

/** Everything that a text looks like. */
export function looksOf(text: string): readonly Look[] {
  if (text === '' || text.length > longest) return [];
  const looks: Look[] = [];
  const add = (look: Look, isIt: boolean): void => {
    if (isIt) looks.push(look);
  };
  const digits = text.replace(/[ -]/g, '');
  const isNumber = /^-?\d{1,15}(\.\d+)?$/.test(text);
  add('e-mail address', /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text));
  add('phone number', /^(\+|00)[\d ()/-]{8,20}$/.test(text) && /^\d{8,15}$/.test(text.replace(/\D/g, '')));
  add('IP address', isIpV4(text) || /^([0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}$/i.test(text));
  add('card number', /^\d{13,19}$/.test(digits) && /^[3-6]/.test(digits) && hasCheckDigit(digits));
  add('IBAN', /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(digits));
  add('number', isNumber);
  add('date', /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/.test(text));
  add('boolean', /^(true|false|yes|no)$/i.test(text));
  return looks;
}

const isIpV4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) < 256);

/** Luhn's formula, which card numbers obey and one in ten other numbers. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const personalName =
  /(^|_)(e_?mail|phone|mobile|fax|address|street|zip|post_?code|postal_?code|birth\w*|dob|ssn|passport|iban|card_?number|first_?name|last_?name|full_?name|surname|given_?name|family_?name|ip|ip_?address|latitude|longitude)($|_)/;
const idName = /(^|_)(id|uuid|guid|hash|token|key|sku|number)$/;

/** Names as words: `firstName` and `First Name` are `first_name`. */
const words = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();

export const isPersonalName = (name: string): boolean => personalName.test(words(name));
export const isIdName = (name: string): boolean => idName.test(words(name));
