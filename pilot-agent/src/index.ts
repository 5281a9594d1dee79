/** What runs inside an allocation. Others start it by path and speak to it over files and the link; they import nothing else. */
export { agentMain, wardenScript } from './paths.js';
