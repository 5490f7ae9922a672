//! French, Spanish, Italian and Portuguese.

use super::{Concept::*, Entries};

pub(super) const FRENCH: &[Entries] = &[
    (Reasoning, "en tant qu'assistant|j'ai déjà|l'étape correcte|réfléchissons"),
    (
        Override,
        "ignore|ignorez|ignorer|oublie|oubliez|oublier|ne tiens pas compte|ne tenez pas compte|fais abstraction|faites abstraction|ne suis pas|ne suivez pas|neglige|annule|désactive|desactivez|efface|ne respecte pas|laisse tomber|passe outre",
    ),
    (Bypass, "contourne|contournez|contourner"),
    (
        Prior,
        "précédent*|antérieur*|ci-dessus|initial*|d'avant|reçu*|données|donnée|existant*|préalable*|au-dessus|avant",
    ),
    (Everything, "tout|toutes|tous|toute|tout ce"),
    (
        Instructions,
        "instruction*|consigne*|règles|regle|directive*|ordres|restriction*|contrainte*|commandes|limite*|programmation",
    ),
    (Yours, "tes|ton|ta|vos|votre|système"),
    (Safety, "sécurité|filtres|garde-fous|politique de contenu|censure|confidentialité"),
    (
        SystemPrompt,
        "prompt système|prompt systeme|message système|instructions système|tes instructions|vos instructions|tes consignes|vos consignes|tes règles|ton prompt|votre prompt|instructions initiales|instructions cachées|instructions secrètes|instructions internes|invite système|tes directives|ta configuration|consignes secrètes|consignes internes",
    ),
    (Above, "texte ci-dessus|tout ce qui précède|tout ce qui est au-dessus"),
    (
        Reveal,
        "révèle|révélez|montre|montrez|affiche|affichez|répète|répétez|donne|donnez|dis|dis-moi|écris|écrivez|divulgue*|imprime|partage|liste|quelles sont|quel est|cite|recopie|communique",
    ),
    (Verbatim, "mot pour mot|mot à mot|textuellement|intégralement|en entier|bloc de code"),
    (
        Role,
        "tu es maintenant|vous êtes maintenant|tu es|fais comme si|faites comme si|fais semblant|agis comme|agissez comme|joue le rôle|jouez le rôle|comporte-toi|imagine que tu|prends le rôle|réponds comme|incarne|mode",
    ),
    (FromNowOn, "désormais|à partir de maintenant|dorénavant|dès maintenant|à compter de"),
    (
        Unrestricted,
        "sans restriction*|sans limite*|sans filtre*|sans règle*|sans censure|aucune restriction|aucune règle|aucune limite|aucun filtre|illimité*|non censuré*|sans contrainte*|sans morale|pas de règles|pas de limites|libre de|ne s'appliquent pas|ne s'applique pas",
    ),
    (Persona, "mode développeur|mode administrateur|mode maintenance|mode debug|mode sans"),
    (
        NoRefusal,
        "ne refuse jamais|ne jamais refuser|sans refuser|sans avertissement*|aucun avertissement|obéis|tu dois obéir|réponds à tout|quoi qu'il arrive|peu importe",
    ),
    (Send, "envoie|envoyez|envoyer|transmets|transmettez|transfère|transférez|publie|téléverse|poste"),
    (
        Secret,
        "mot de passe|mots de passe|identifiants|clé api|clés api|clé secrète|secret*|données client*|données privées|données personnelles|liste des clients|base de données|confidentiel*|historique|carte* bancaire*|coordonnées bancaires|pages privées",
    ),
    (Address, "adresse externe|serveur externe|à l'adresse"),
    (Act, "exécute|exécutez|supprime|supprimez|lance|effectue|vire|virement|installe|modifie"),
    (Asset, "fichier*|compte*|argent|base de données|commande|outil*|dossier"),
    (Machine, "ia|assistant|modèle de langage|intelligence artificielle"),
    (Urgent, "important|urgent|attention|prioritaire"),
    (
        NewTask,
        "nouvelles instructions|nouvelle instruction|nouvelle tâche|nouvelles règles|à la place|au lieu de|suis uniquement|réponds uniquement|réponds seulement|obéis uniquement|instructions suivantes",
    ),
    (
        BeforeTask,
        "avant de répondre|avant de continuer|avant de résumer|d'abord|si tu es une ia|si vous êtes une ia|dans ta réponse|dans ton résumé",
    ),
    (
        Conceal,
        "ne dis pas à l'utilisateur|ne le dis pas|sans en informer|sans le dire|sans prévenir|en secret|secrètement|ne mentionne pas|discrètement|à l'insu",
    ),
    (
        Authority,
        "je suis ton développeur|je suis le développeur|je suis l'administrateur|je suis administrateur|je suis ton créateur|autorisé*|test de sécurité|audit de sécurité|en tant qu'administrateur",
    ),
    (Fiction, "hypothétique*|histoire|fictif*|roman|grand-mère|scénario"),
    (Harm, "bombe*|explosif*|arme*|drogue*|logiciel malveillant|pirater|illégal*|voler|tuer|dangereux"),
    (Notation, "encodé*|chiffré*|à l'envers"),
    (Decode, "décode|décodez|déchiffre|et suis|et exécute"),
    (
        Mention,
        "explique|que signifie|qu'est-ce que|signification|article|exemple*|comment éviter|comment protéger|protéger|prévenir|différence|pourquoi|conférence|le client a écrit",
    ),
];

pub(super) const SPANISH: &[Entries] = &[
    (Reasoning, "como asistente|ya he determinado|el paso correcto|pensemos"),
    (
        Override,
        "ignora|ignore|ignorar|ignoren|olvida|olvide|olvidar|olvídate|no sigas|no siga|no hagas caso|haz caso omiso|haga caso omiso|descarta|desestima|anula|desactiva|omite|pasa por alto|deja de seguir|borra|ya no aplican|no prestes atención",
    ),
    (Bypass, "evita|elude|sáltate|saltate|burla"),
    (Prior, "anterior*|previa*|previo*|de arriba|inicial*|original*|recibid*|dad*|existente*|hasta ahora|antes"),
    (Everything, "todo|todas|todos|toda|cualquier"),
    (
        Instructions,
        "instrucci*|reglas|regla|directrices|directivas|órdenes|restricci*|normas|indicaci*|comandos|limitaci*|programación|pautas",
    ),
    (Yours, "tus|tu|sus|sistema"),
    (Safety, "seguridad|filtros|política de contenido|censura|confidencialidad"),
    (
        SystemPrompt,
        "prompt del sistema|prompt de sistema|mensaje del sistema|mensaje de sistema|instrucciones del sistema|instrucciones de sistema|tus instrucciones|sus instrucciones|tus reglas|tu prompt|instrucciones iniciales|instrucciones originales|instrucciones ocultas|instrucciones secretas|instrucciones internas|tus directrices|tu configuración|indicaciones del sistema",
    ),
    (Above, "texto anterior|texto de arriba|todo lo anterior|todo lo de arriba"),
    (
        Reveal,
        "revela|revele|muestra|muéstrame|muestre|imprime|repite|repita|dime|diga|escribe|divulga|enséñame|comparte|lista|dame|cuáles son|cuál es|copia|di|devuelve|entrega",
    ),
    (Verbatim, "palabra por palabra|textualmente|literalmente|al pie de la letra|por completo|bloque de código"),
    (
        Role,
        "ahora eres|eres ahora|eres|actúa como|actúe como|finge|haz como si|compórtate|interpreta el papel|simula|imagina que eres|haz de cuenta|responde como|juega el papel|adopta el papel",
    ),
    (FromNowOn, "a partir de ahora|desde ahora|de ahora en adelante|en adelante"),
    (
        Unrestricted,
        "sin restricci*|sin límites|sin limitaci*|sin filtro*|sin reglas|sin censura|ninguna restricción|ninguna regla|no tienes reglas|no tienes restricci*|no tienes límites|ilimitad*|sin moral|libre de|cualquier cosa|no aplican|no se aplican",
    ),
    (Persona, "modo desarrollador|modo de desarrollador|modo administrador|modo mantenimiento|modo sin|modo dios"),
    (
        NoRefusal,
        "nunca te niegues|no te niegues|sin negarte|sin advertencias|sin avisos|sin disculpas|debes obedecer|obedece|responde a todo|pase lo que pase|no importa",
    ),
    (Send, "envía|envíe|manda|enviar|reenvía|transfiere|sube|publica|remite"),
    (
        Secret,
        "contraseña*|credencial*|clave*|clave api|claves api|secreto*|datos de cliente*|datos de los clientes|datos privados|datos personales|lista de clientes|base de datos|confidencial*|historial|tarjeta* de crédito|páginas privadas",
    ),
    (Address, "dirección externa|servidor externo"),
    (Act, "ejecuta|ejecute|elimina|elimine|borra|transfiere|instala|modifica"),
    (Asset, "archivo*|cuenta*|dinero|base de datos|comando*|herramienta*|carpeta"),
    (Machine, "ia|asistente|modelo de lenguaje|inteligencia artificial"),
    (Urgent, "importante|urgente|atención"),
    (
        NewTask,
        "nuevas instrucciones|nueva instrucción|nueva tarea|nuevas reglas|en su lugar|en vez de|sigue solo|sigue únicamente|responde solo|responde únicamente|solo mis|siguientes instrucciones",
    ),
    (
        BeforeTask,
        "antes de responder|antes de continuar|antes de resumir|primero|si eres una ia|en tu respuesta|en tu resumen",
    ),
    (
        Conceal,
        "no se lo digas|no le digas al usuario|sin decir|sin informar|sin avisar|en secreto|en silencio|no menciones|sin que el usuario",
    ),
    (
        Authority,
        "soy tu desarrollador|soy el desarrollador|soy tu creador|soy el administrador|soy administrador|autorizad*|prueba de seguridad|auditoría de seguridad",
    ),
    (Fiction, "hipotétic*|historia|ficción|ficticio|novela|abuela"),
    (Harm, "bomba*|explosivo*|arma*|droga*|malware|hackear|ilegal*|robar|matar|peligros*"),
    (Notation, "codificado*|cifrado*|al revés"),
    (Decode, "decodifica|descifra|y sigue|y ejecuta"),
    (
        Mention,
        "explica|explícame|qué significa|significado|artículo|ejemplo*|cómo evitar|cómo proteger|proteger|prevenir|diferencia|por qué|conferencia|el cliente escribió",
    ),
];

pub(super) const ITALIAN: &[Entries] = &[
    (Reasoning, "come assistente|ho già stabilito|il passo corretto|ragioniamo"),
    (
        Override,
        "ignora|ignori|ignorate|ignorare|dimentica|dimentichi|dimenticate|dimenticare|trascura|non seguire|non considerare|non tenere conto|annulla|disattiva|scarta|cancella|lascia perdere|smetti di seguire|non valgono più",
    ),
    (Bypass, "aggira|aggirare|elude|eludi|bypassa"),
    (Prior, "precedent*|sopra|inizial*|originar*|original*|ricevut*|dat*|esistent*|finora|prima"),
    (Everything, "tutto|tutte|tutti|tutta|qualsiasi|ogni"),
    (
        Instructions,
        "istruzion*|regole|regola|direttiv*|ordini|restrizion*|vincoli|linee guida|comandi|limitazion*|indicazioni",
    ),
    (Yours, "tue|tuoi|tuo|tua|vostre|sistema"),
    (Safety, "sicurezza|filtri|censura|riservatezza"),
    (
        SystemPrompt,
        "prompt di sistema|prompt del sistema|messaggio di sistema|istruzioni di sistema|istruzioni del sistema|tue istruzioni|vostre istruzioni|tue regole|tuo prompt|istruzioni iniziali|istruzioni nascoste|istruzioni segrete|istruzioni interne|tua configurazione|tue direttive",
    ),
    (Above, "testo sopra|testo precedente|tutto ciò che precede"),
    (
        Reveal,
        "rivela|rivelami|mostra|mostrami|stampa|ripeti|dimmi|scrivi|divulga|condividi|elenca|dammi|quali sono|qual è|copia|fammi vedere|fornisci",
    ),
    (Verbatim, "parola per parola|testualmente|letteralmente|per intero|integralmente"),
    (
        Role,
        "ora sei|adesso sei|sei ora|sei|agisci come|fingi|fai finta|comportati|interpreta|simula|immagina di essere|rispondi come|assumi il ruolo",
    ),
    (FromNowOn, "d'ora in poi|da ora in poi|da adesso|da questo momento"),
    (
        Unrestricted,
        "senza restrizion*|senza limit*|senza filtr*|senza regole|senza censura|nessuna restrizione|nessuna regola|nessun limite|nessun filtro|illimitat*|libero da|non hai regole|non hai restrizioni|non hai limiti|qualsiasi cosa|non valgono|non si applicano",
    ),
    (Persona, "modalità sviluppatore|modalità amministratore|modalità manutenzione|modalità senza"),
    (
        NoRefusal,
        "non rifiutare mai|non rifiutarti|senza rifiutare|senza avvert*|devi obbedire|obbedisci|rispondi a tutto|qualunque cosa|non importa",
    ),
    (Send, "invia|inviare|invii|manda|inoltra|trasferisci|carica|pubblica|trasmetti|spedisci"),
    (
        Secret,
        "password|credenzial*|chiave api|chiavi api|chiave segreta|segret*|dati dei clienti|dati privati|dati personali|elenco dei clienti|lista dei clienti|elenco clienti|database|riservat*|cronologia|carta di credito|pagine private|dati",
    ),
    (Address, "indirizzo esterno|server esterno"),
    (Act, "esegui|elimina|cancella|trasferisci|installa|modifica"),
    (Asset, "file|conto|denaro|database|comando|strument*|cartella"),
    (Machine, "ia|assistente|modello linguistico|intelligenza artificiale"),
    (Urgent, "importante|urgente|attenzione"),
    (
        NewTask,
        "nuove istruzioni|nuova istruzione|nuovo compito|nuove regole|invece|segui solo|segui soltanto|rispondi solo|seguenti istruzioni|solo i miei",
    ),
    (
        BeforeTask,
        "prima di rispondere|prima di continuare|prima di riassumere|per prima cosa|se sei un'ia|nella tua risposta|nel tuo riassunto",
    ),
    (
        Conceal,
        "non dire all'utente|non dirlo|senza dire|senza informare|senza avvisare|in segreto|di nascosto|non menzionare|in silenzio",
    ),
    (
        Authority,
        "sono il tuo sviluppatore|sono lo sviluppatore|sono l'amministratore|sono il tuo creatore|autorizzat*|test di sicurezza",
    ),
    (Fiction, "ipotetic*|storia|finzione|romanzo|nonna"),
    (Harm, "bomba|bombe|esplosiv*|arma|armi|droga|droghe|malware|hackerare|illegal*|rubare|uccidere|pericolos*"),
    (Notation, "codificat*|cifrat*|al contrario"),
    (Decode, "decodifica|decifra|ed esegui|e segui"),
    (
        Mention,
        "spiega|spiegami|cosa significa|significato|articolo|esempio|esempi|come evitare|come proteggere|proteggere|prevenire|differenza|perché|conferenza",
    ),
];

pub(super) const PORTUGUESE: &[Entries] = &[
    (
        Override,
        "ignore|ignora|ignorar|esqueça|esquece|esquecer|desconsidere|desconsidera|não siga|não sigas|descarte|anule|desative|apague|pare de seguir|deixe de seguir",
    ),
    (Bypass, "contorne|burle|contornar"),
    (Prior, "anteriores|anterior|prévi*|acima|iniciais|inicial|originais|recebid*|dad*|existentes|até agora"),
    (Everything, "tudo|todas|todos|qualquer"),
    (Instructions, "instruç*|regras|regra|diretrizes|diretivas|ordens|restriç*|comandos|limitaç*|orientaç*"),
    (Yours, "suas|sua|seu|seus|teu|tuas|sistema"),
    (Safety, "segurança|filtros|política de conteúdo|censura|confidencialidade"),
    (
        SystemPrompt,
        "prompt do sistema|prompt de sistema|mensagem do sistema|mensagem de sistema|instruções do sistema|instruções de sistema|suas instruções|tuas instruções|suas regras|seu prompt|instruções iniciais|instruções ocultas|instruções secretas|instruções internas|suas diretrizes",
    ),
    (Above, "texto acima|tudo acima|tudo o que está acima"),
    (
        Reveal,
        "revele|revela|mostre|mostra|imprima|repita|repete|diga|escreva|divulgue|compartilhe|liste|quais são|qual é|copie|me dê|exiba",
    ),
    (Verbatim, "palavra por palavra|literalmente|na íntegra|textualmente"),
    (
        Role,
        "você é agora|agora você é|você agora é|você é|aja como|atue como|finja|comporte-se|simule|imagine que você|responda como|interprete",
    ),
    (FromNowOn, "a partir de agora|de agora em diante|doravante"),
    (
        Unrestricted,
        "sem restriç*|sem limit*|sem filtro*|sem regras|sem censura|nenhuma restrição|nenhuma regra|não tem regras|não tem restriç*|ilimitad*|livre de|qualquer coisa|não se aplicam",
    ),
    (Persona, "modo desenvolvedor|modo de desenvolvedor|modo administrador|modo manutenção"),
    (
        NoRefusal,
        "nunca recuse|não recuse|sem recusar|sem avisos|sem advertências|deve obedecer|obedeça|responda a tudo|não importa",
    ),
    (Send, "envie|envia|mande|encaminhe|transfira|publique|enviar"),
    (
        Secret,
        "senha*|credenciais|chave de api|chaves de api|chave secreta|segredo*|dados dos clientes|dados de clientes|dados privados|dados pessoais|lista de clientes|banco de dados|confidenciais|confidencial|histórico|cartão de crédito",
    ),
    (Act, "execute|exclua|apague|transfira|instale"),
    (Asset, "arquivo*|conta|contas|dinheiro|banco de dados|comando"),
    (Machine, "ia|assistente|modelo de linguagem|inteligência artificial"),
    (
        NewTask,
        "novas instruções|nova instrução|nova tarefa|novas regras|em vez disso|siga apenas|siga somente|responda apenas|seguintes instruções",
    ),
    (
        BeforeTask,
        "antes de responder|antes de continuar|antes de resumir|primeiro|se você é uma ia|na sua resposta|no seu resumo",
    ),
    (
        Conceal,
        "não diga ao usuário|não conte ao usuário|sem avisar|sem informar|em segredo|não mencione|silenciosamente",
    ),
    (
        Authority,
        "sou seu desenvolvedor|sou o desenvolvedor|sou o administrador|sou seu criador|autorizad*|teste de segurança",
    ),
    (Harm, "bomba*|explosivo*|arma*|droga*|hackear|ilegal|ilegais|roubar|matar"),
    (Decode, "decodifique|decifre|e siga|e execute"),
    (
        Mention,
        "explique|o que significa|significado|artigo|exemplo*|como evitar|como proteger|prevenir|diferença|por que",
    ),
];
