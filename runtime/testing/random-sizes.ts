/** Before every test file: random lists are as long as their bounds allow. By default fast-check draws about ten elements, whatever the bound. */
import fc from 'fast-check';

fc.configureGlobal({ baseSize: 'medium' });
