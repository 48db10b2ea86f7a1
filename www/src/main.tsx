/** Where the playground begins. */

import { render } from 'solid-js/web';
import { App } from './ui/App';
import { initTheme } from './ui/theme';
import './ui/app.css';

initTheme();
const root = document.getElementById('app');
if (root !== null) render(() => <App engine={__ENGINE_VERSION__} />, root);
