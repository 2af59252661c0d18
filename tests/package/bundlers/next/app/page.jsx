// Rendered on the server, too: importing the package there must do nothing.
import { Attention } from './attention.jsx';

export default function Page() {
  return <Attention />;
}
