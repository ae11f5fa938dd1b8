import { browserWorld, openWire } from './browser.ts';
import { showCards } from './card.ts';
import { makePresage, type Presage } from './presage.ts';

/*
 * <script src="https://HOST/client/presage.js" data-key="pk_..."></script>
 * data-host      where Presage is, if not where the script came from
 * data-render    "auto": offers are shown as a card in the corner
 * Calls made before the script has loaded can be left in `window.presage = [['track', 'name'], ...]`.
 */
const script = document.currentScript as HTMLScriptElement | null;
const page = window as unknown as { presage?: Presage | [keyof Presage, ...unknown[]][] };
const { key, host, render } = script?.dataset ?? {};

if (!key) console.warn('presage: the script tag needs data-key="pk_..."');
else {
  const home = new URL(host ?? script?.src ?? '', location.href).origin;
  const presage = makePresage({
    key,
    host: home,
    world: browserWorld(),
    open: (auth) => openWire(home, auth),
  });
  const early = page.presage;
  page.presage = presage;
  if (Array.isArray(early))
    for (const [name, ...args] of early)
      (presage[name] as unknown as ((...args: unknown[]) => void) | undefined)?.(...args);
  if (render === 'auto') showCards(presage);
  document.addEventListener('visibilitychange', presage.wake);
  addEventListener('pagehide', presage.leave);
  addEventListener('online', presage.online);
  presage.online();
}
