import type { HTMLAttributes } from 'react';

interface ScrollProps extends HTMLAttributes<HTMLElement> {
  readonly label: string;
}

/** A part that scrolls by itself, and that the keyboard can therefore reach. */
export const Scroll = ({ label, ...rest }: ScrollProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without it only a mouse could scroll here.
  <section {...rest} aria-label={label} tabIndex={0} />
);
