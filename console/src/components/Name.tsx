import { Fragment } from 'react';

/** A name that a workspace gave. Where it has no room on one line it goes on after an underscore, not inside a word. */
export const Name = ({ of }: { readonly of: string }) => (
  <>
    {of.split(/(?<=_)/).map((part, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a part is known by its place.
      <Fragment key={index}>
        {index > 0 && <wbr />}
        {part}
      </Fragment>
    ))}
  </>
);
