import { sawEvent, setStatus } from './sees.js';

/*
 * How a shop uses Presage: one script tag with its public key, then page(), track() and on('offer'). Only the key is
 * asked for first, because each installation of this demo has its own. Calls made meanwhile wait in window.presage.
 */
window.presage ??= [];
const call = (name, ...args) =>
  Array.isArray(window.presage) ? window.presage.push([name, ...args]) : window.presage[name](...args);

export const page = (name) => call('page', name);
export const onOffer = (listener) => call('on', 'offer', listener);
export const onExpired = (listener) => call('on', 'expired', listener);

/** Tells Presage, and shows in the strip what was told. */
export function track(name, properties) {
  call('track', name, properties);
  sawEvent(name, properties);
}

const longestPauseMs = 10_000;

export async function connect(pauseMs = 500) {
  try {
    const response = await fetch('/demo/config.json');
    if (!response.ok) throw new Error(`/demo/config.json answered ${response.status}`);
    const { key } = await response.json();
    await load('/client/presage.js', key);
    call('on', 'status', setStatus);
  } catch (error) {
    console.warn('The demo shop cannot reach Presage:', error);
    setStatus('away');
    setTimeout(() => connect(Math.min(longestPauseMs, pauseMs * 2)), pauseMs);
  }
}

function load(src, key) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = src;
    script.dataset.key = key;
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      reject(new Error(`${src} did not load`));
    };
    document.head.append(script);
  });
}
