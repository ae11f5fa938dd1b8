import { nextTheme, type Theme, useTheme } from './theme.ts';

const names: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

export function ThemeButton() {
  const theme = useTheme();
  return (
    <button
      type="button"
      className="button button-icon"
      onClick={nextTheme}
      aria-label={`Colours: ${names[theme]}. Change`}
      title={`Colours: ${names[theme]}`}
    >
      <svg
        width="16"
        height="16"
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        aria-hidden="true"
      >
        <Icon theme={theme} />
      </svg>
    </button>
  );
}

function Icon({ theme }: { readonly theme: Theme }) {
  if (theme === 'dark')
    return <path d="M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6Z" strokeLinejoin="round" />;
  if (theme === 'light') {
    return (
      <path
        d="M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1v1.8M8 13.200V15M1 8h1.800M13.2 8H15M3.05 3.050l1.3 1.300M11.65 11.650l1.3 1.300M3.05 12.950l1.3-1.300M11.65 4.350l1.3-1.3"
        strokeLinecap="round"
      />
    );
  }
  return (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 2.500a5.5 5.5 0 0 1 0 11Z" fill="currentColor" stroke="none" />
    </>
  );
}
