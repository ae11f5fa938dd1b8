import { makeStore, useStore } from '../api/store.ts';

export type Theme = 'system' | 'light' | 'dark';
const key = 'presage.theme';
const order: readonly Theme[] = ['system', 'light', 'dark'];

function stored(): Theme {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

// public/theme.js has set it before the first paint.
const theme = makeStore<Theme>(stored());

export const useTheme = (): Theme => useStore(theme);

/** System, light, dark, and round again. */
export function nextTheme(): void {
  const next = order[(order.indexOf(theme.get()) + 1) % order.length] ?? 'system';
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, next);
  } catch {
    // Without storage it holds until the page is closed.
  }
  theme.set(next);
}
