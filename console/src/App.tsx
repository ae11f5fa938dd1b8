import { sessionStore, statusPoll, useStore } from './api/index.ts';
import { DecisionPage } from './pages/decision/DecisionPage.tsx';
import { DecisionsPage } from './pages/decisions/DecisionsPage.tsx';
import { LivePage } from './pages/live/LivePage.tsx';
import { NotFoundPage } from './pages/NotFoundPage.tsx';
import { ReviewPage } from './pages/review/ReviewPage.tsx';
import { ReviewsPage } from './pages/review/ReviewsPage.tsx';
import { SubjectPage } from './pages/subject/SubjectPage.tsx';
import { type Route, routeOf, useLocation } from './router.tsx';
import { Banners } from './shell/Banners.tsx';
import { Header } from './shell/Header.tsx';
import { SignedOut } from './shell/SignedOut.tsx';

export function App() {
  return useStore(sessionStore) === 'out' ? <SignedOut /> : <SignedIn />;
}

function SignedIn() {
  const route = routeOf(useLocation().path);
  const status = useStore(statusPoll);
  return (
    <>
      <Header route={route} status={status} />
      <Banners status={status} />
      <main id="content" tabIndex={-1}>
        <Page route={route} />
      </main>
    </>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'live':
      return <LivePage />;
    case 'decisions':
      return <DecisionsPage />;
    case 'decision':
      return <DecisionPage key={route.id} id={route.id} />;
    case 'reviews':
      return <ReviewsPage />;
    case 'review':
      return <ReviewPage key={route.id} id={route.id} />;
    case 'subject':
      return <SubjectPage key={route.id} id={route.id} />;
    case 'unknown':
      return <NotFoundPage />;
  }
}
