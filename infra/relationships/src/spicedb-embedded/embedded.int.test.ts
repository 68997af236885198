import { relationshipsConformance } from '../conformance.ts';
import { openRelationships } from '../open.ts';

relationshipsConformance('embedded', () => openRelationships('embedded:'));
